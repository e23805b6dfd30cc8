//go:build !js

package device

import (
	"context"

	"github.com/coder/websocket"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// seesPings reports whether pings of the server can be noticed, so that silence means something.
const seesPings = true

func (s *socket) dial(ctx context.Context) (*websocket.Conn, error) {
	conn, _, err := websocket.Dial(ctx, s.l.url, &websocket.DialOptions{ //nolint:bodyclose // the library closes it
		HTTPClient: s.l.o.HTTP, Subprotocols: []string{frame.Subprotocol}, CompressionMode: websocket.CompressionDisabled,
		OnPingReceived: func(context.Context, []byte) bool {
			s.l.alive()
			return true
		},
	})
	return conn, err
}
