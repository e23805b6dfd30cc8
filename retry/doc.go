// Package retry tells a client of the messaging API what to do after a refused call, and does it: try again after
// 4^X seconds, wait for a fixed time, or stop.
//
//	err := retry.Do(ctx, retry.System, func() error {
//		resp, err := client.Post(url, "application/json", bytes.NewReader(body))
//		if err != nil {
//			return err // nobody knows whether the message was accepted: not tried again
//		}
//		defer resp.Body.Close()
//		answer, err := io.ReadAll(resp.Body)
//		if err != nil {
//			return err
//		}
//		return retry.Response(resp.StatusCode, answer)
//	})
//
// Sending is not idempotent: each accepted call makes a new message. A call is therefore tried again only after an answer
// with an error code, which promises that no message was made. The package imports the standard library alone and works
// against any service with the same error codes.
package retry
