// Package manager is the web app for the people of a business and for developers: pages made on the server, with the same services
// behind them as the Graph API. A page is a view, a plain struct, and a function that makes nodes of it; [Frame] is what stands around it.
package manager
