// Package pricing knows what a message costs: markets, rate cards with their dates and volume tiers. What is charged, a
// delivered template by category and window, is decided in the message room; this one turns it into money.
//
//	recipient ─► Market ─┐
//	category  ───────────┼─► Card.Rate ─► micro units of the card's currency
//	nth of the month ────┘
//
// Source: spec/pricing.md. Amounts come from the operator's card; the one that ships is made up. The package knows neither
// accounts nor messages, and keeps nothing.
package pricing
