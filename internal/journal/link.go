package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// link is one way to the streams: the server, when this process runs it, and the connections. Appends have a connection of
// their own, so that a reader's batches are not in front of an acknowledgement.
type link struct {
	server *node // nil for an external cluster
	owned  bool  // closing the link stops the server
	pub    *nats.Conn
	api    *nats.Conn

	once sync.Once
}

// callTimeout bounds a request whose context has no deadline, in machine time.
const callTimeout = 5 * time.Second

// dial opens the connections to s, or to the external cluster when s is nil.
func dial(o Options, s *node, owned bool) (_ *link, err error) {
	k := &link{server: s, owned: owned}
	if k.pub, err = connect(o, s, "append"); err == nil {
		k.api, err = connect(o, s, "read")
	}
	if err != nil {
		k.close()
		return nil, fmt.Errorf("%w: connect to journal server: %w", ErrUnavailable, err)
	}
	return k, nil
}

func connect(o Options, s *node, name string) (*nats.Conn, error) {
	opts := []nats.Option{
		nats.Name("hikyaku journal " + name),
		nats.Timeout(callTimeout),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(100 * time.Millisecond),
		nats.ReconnectBufSize(-1), // what cannot be sent now fails now, instead of landing later
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			o.Logger.Warn("journal connection", "err", err)
		}),
	}
	if s == nil {
		return nats.Connect(o.Cluster.URL, opts...)
	}
	opts = append(opts, nats.InProcessServer(s))
	if s.password != "" {
		opts = append(opts, nats.UserInfo(clusterName, s.password))
	}
	return nats.Connect("", opts...)
}

// alive reports whether there is a server to talk to. Connections to one elsewhere restore themselves.
func (k *link) alive() bool { return !k.owned || k.server.Running() }

func (k *link) close() {
	k.once.Do(func() {
		for _, c := range []*nats.Conn{k.pub, k.api} {
			if c != nil {
				c.Close()
			}
		}
		if k.owned {
			k.server.stop()
		}
	})
}

// state is where a stream stands.
type state struct {
	First uint64 `json:"first_seq"` // last+1 when the stream is empty
	Last  uint64 `json:"last_seq"`
	Gaps  int    `json:"num_deleted"`
	Lost  struct {
		Bytes uint64 `json:"bytes"`
	} `json:"lost"`
}

// apiError is an error of the JetStream API.
type apiError struct {
	Code        int    `json:"code"`
	ErrCode     int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *apiError) Error() string {
	return e.Description + " (" + strconv.Itoa(e.ErrCode) + ")"
}

// Numbers of JetStream API errors; nats-server, server/errors.json.
const (
	codeStreamNotFound    = 10059
	codeWrongLast         = 10071
	codeWrongLastConstant = 10164
	codeTooLarge          = 10054
	codeNoResources       = 10023
	codeNoStorage         = 10047
	codeStoreFailed       = 10077
)

// typed attaches the error that callers test for.
func (e *apiError) typed() error {
	switch e.ErrCode {
	case codeWrongLast, codeWrongLastConstant:
		return fmt.Errorf("%w: %w", ErrFenced, e)
	case codeTooLarge:
		return fmt.Errorf("%w: %w", ErrTooLarge, e)
	case codeNoResources, codeNoStorage:
		return fmt.Errorf("%w: %w", ErrFull, e)
	case codeStoreFailed:
		if strings.Contains(e.Description, "no space") {
			return fmt.Errorf("%w: %w", ErrFull, e)
		}
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, e)
}

// call makes a JetStream API request.
func (k *link) call(ctx context.Context, subject string, req, resp any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var body []byte
	if req != nil {
		var err error
		if body, err = json.Marshal(req); err != nil {
			return fmt.Errorf("encode %s: %w", subject, err)
		}
	}
	m, err := k.api.RequestWithContext(ctx, subject, body)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, subject, err)
	}
	var answer struct {
		Error *apiError `json:"error"`
	}
	if err := json.Unmarshal(m.Data, &answer); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, subject, err)
	}
	if answer.Error != nil {
		return answer.Error
	}
	if resp == nil {
		return nil
	}
	if err := json.Unmarshal(m.Data, resp); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, subject, err)
	}
	return nil
}

// info asks where a stream stands; false when there is none.
func (k *link) info(ctx context.Context, stream string) (s state, found bool, err error) {
	var resp struct {
		State state `json:"state"`
	}
	switch err = k.call(ctx, "$JS.API.STREAM.INFO."+stream, nil, &resp); {
	case isCode(err, codeStreamNotFound):
		return state{}, false, nil
	case err != nil:
		return state{}, false, orUnavailable(err)
	}
	resp.State.First = max(resp.State.First, 1) // 0 in a stream that never held anything
	return resp.State, true, nil
}

// create makes a stream with the settings of a log.
func (k *link) create(ctx context.Context, o Options, stream, subject string) error {
	cfg := server.StreamConfig{
		Name:         stream,
		Subjects:     []string{subject},
		Retention:    server.LimitsPolicy,
		Discard:      server.DiscardOld,
		Storage:      server.FileStorage,
		Replicas:     o.replicas(),
		MaxConsumers: -1,
		MaxMsgs:      -1,
		MaxBytes:     -1,
		MaxAge:       o.MaxAge,
		MaxMsgSize:   maxPayload,
		MaxMsgsPer:   unlimited, // limits nothing, but halves the size of blocks and with it the memory per stream
		Duplicates:   100 * time.Millisecond,
		AllowDirect:  true,
		DenyDelete:   true,
	}
	return orUnavailable(k.call(ctx, "$JS.API.STREAM.CREATE."+stream, cfg, nil))
}

// purge removes everything before seq.
func (k *link) purge(ctx context.Context, stream string, seq uint64) error {
	req := server.JSApiStreamPurgeRequest{Sequence: seq}
	return orUnavailable(k.call(ctx, "$JS.API.STREAM.PURGE."+stream, req, nil))
}

// stored is a message of a stream.
type stored struct {
	seq  uint64
	data []byte
}

// fetch reads messages from seq on: at most n, and no further one after size bytes. It returns none at the end of the stream.
func (k *link) fetch(ctx context.Context, stream string, seq uint64, n, size int) ([]stored, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ch := make(chan *nats.Msg, n+2)
	inbox := nats.NewInbox()
	sub, err := k.api.ChanSubscribe(inbox, ch)
	if err != nil {
		return nil, fmt.Errorf("%w: read %s: %w", ErrUnavailable, stream, err)
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection may be gone, and the subscription with it
	req := fmt.Appendf(nil, `{"seq":%d,"batch":%d,"max_bytes":%d}`, seq, n, size)
	if err := k.api.PublishRequest("$JS.API.DIRECT.GET."+stream, inbox, req); err != nil {
		return nil, fmt.Errorf("%w: read %s: %w", ErrUnavailable, stream, err)
	}
	out := make([]stored, 0, n)
	for {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: read %s: %w", ErrUnavailable, stream, context.Cause(ctx))
		case m := <-ch:
			switch status := m.Header.Get("Status"); status {
			case "":
				seq, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
				if err != nil {
					return nil, fmt.Errorf("%w: read %s: no sequence", ErrUnavailable, stream)
				}
				out = append(out, stored{seq, m.Data})
			case "204", "404": // end of batch, end of stream
				return out, nil
			default:
				return nil, fmt.Errorf("%w: read %s: status %s", ErrUnavailable, stream, status)
			}
		}
	}
}

func isCode(err error, code int) bool {
	e, ok := errors.AsType[*apiError](err)
	return ok && e.ErrCode == code
}

// orUnavailable types an error of call.
func orUnavailable(err error) error {
	if e, ok := errors.AsType[*apiError](err); ok {
		return e.typed()
	}
	return err
}
