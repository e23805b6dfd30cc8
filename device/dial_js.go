package device

import (
	"context"

	"github.com/coder/websocket"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// seesPings: browsers answer pings themselves and tell nobody. They also notice dead connections themselves.
const seesPings = false

func (s *socket) dial(ctx context.Context) (*websocket.Conn, error) {
	conn, _, err := websocket.Dial(ctx, s.l.url, &websocket.DialOptions{Subprotocols: []string{frame.Subprotocol}})
	return conn, err
}
