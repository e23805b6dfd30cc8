package template

import "time"

// life is what the rules remember of a template beyond what the API shows.
type life struct {
	Was          Status      `json:",omitempty"` // before ARCHIVED or IN_APPEAL
	Review       time.Time   `json:",omitzero"`  // PENDING: when the reviewer decides; zero: a person does
	Resume       time.Time   `json:",omitzero"`  // PAUSED: when the pause ends; zero: it must be ended by hand
	Paused       time.Time   `json:",omitzero"`  // when the last pause began
	Pauses       int         `json:",omitempty"` // how often it was paused for low quality
	Recategorise time.Time   `json:",omitzero"`
	Archived     time.Time   `json:",omitzero"`  // when it was archived
	Used         time.Time   `json:",omitzero"`  // last create, edit, send, appeal or unarchive; of sends the day is exact
	Removed      time.Time   `json:",omitzero"`  // when it was deleted
	Lock         time.Time   `json:",omitzero"`  // until when a deleted name and language stay taken
	Edits        []time.Time `json:",omitempty"` // of the approved template in the last 30 days
	Ever         bool        `json:",omitempty"` // it was approved once
	Sent         bool        `json:",omitempty"` // it was sent once
	Outbox       []Notice    `json:",omitempty"` // what the business has not been told yet
}
