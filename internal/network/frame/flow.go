package frame

import "encoding/json"

// The paths of flows below the server's root. Both take a POST, because a flow is named by a grant that belongs into no log.
const (
	PathFlows     = "/network/v1/flows"
	PathFlowSteps = "/network/v1/flows/steps"
)

// Bounds of flows.
const (
	MaxFlow      = 10 << 20  // bytes of the Flow JSON
	MaxFlowData  = 256 << 10 // bytes of the data of a step
	MaxFlowToken = 4 << 10   // bytes of a flow token
	MaxGrant     = 128       // bytes of a grant
	FlowRate     = 60        // flows and steps a minute and device
)

// FlowRequest is the body of POST /network/v1/flows: the Flow JSON of a flow that the user was sent. The answer is that JSON.
type FlowRequest struct {
	To    string `json:"to"`    // wa_id of the business number that sent the message
	Flow  string `json:"flow"`  // id of the flow
	Grant string `json:"grant"` // from the message, see Flow
}

// FlowStep is the body of POST /network/v1/flows/steps: one question to the data endpoint of a flow. The answer is a
// FlowAnswer. Source: spec/flows.md section 8.2.
type FlowStep struct {
	FlowRequest
	Action string          `json:"action"` // INIT, data_exchange or BACK
	Screen string          `json:"screen,omitempty"`
	Data   json.RawMessage `json:"data,omitempty"`
	Token  string          `json:"flow_token,omitempty"`
}

// The actions of a step.
const (
	FlowInit     = "INIT"
	FlowExchange = "data_exchange"
	FlowBack     = "BACK"
)

// FlowAnswer is what a data endpoint answers: the next screen and its data. Screen SUCCESS ends the flow.
type FlowAnswer struct {
	Screen string          `json:"screen"`
	Data   json.RawMessage `json:"data,omitempty"`
}

// Flow is what a message says of a flow that it opens: an element of its member "flows". The grant lets the devices of the
// user that the message was sent to, and nobody else, read the flow and talk with its endpoint.
type Flow struct {
	ID    string `json:"id"`
	Name  string `json:"name,omitempty"` // when the message names the flow by its name
	Token string `json:"flow_token,omitempty"`
	Grant string `json:"grant"` // holds for this flow_token; a step under another is refused
}

// Check reports the first field that breaks a rule, as Frame.Check does.
func (f *FlowRequest) Check() *Error {
	switch {
	case !digits(f.To):
		return malformed(0, "to")
	case !digits(f.Flow):
		return malformed(0, "flow")
	case f.Grant == "" || len(f.Grant) > MaxGrant || !printable(f.Grant):
		return malformed(0, "grant")
	}
	return nil
}

// Check reports the first field that breaks a rule, as Frame.Check does.
func (f *FlowStep) Check() *Error {
	switch {
	case f.Action != FlowInit && f.Action != FlowExchange && f.Action != FlowBack:
		return malformed(0, "action")
	case len(f.Screen) > MaxMessageID:
		return malformed(0, "screen")
	case len(f.Data) > MaxFlowData:
		return Refuse(ErrTooLarge, "data is too long")
	case len(f.Data) > 0 && f.Data[0] != '{':
		return malformed(0, "data")
	case len(f.Token) > MaxFlowToken:
		return malformed(0, "flow_token")
	}
	return f.FlowRequest.Check()
}
