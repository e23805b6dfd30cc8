package network

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"

	"github.com/hikyaku/hikyaku/internal/network/frame"
)

// maxBody bounds the bodies of registration: a hundred one-time prekeys and a KEM key are 12 kB.
const maxBody = 64 << 10

// Handler serves everything below /network/v1/. A nil registrar refuses registration.
func Handler(h *Hub, g *Registrar) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+frame.PathSocket, h)
	if h.cfg.Blobs != nil {
		mux.HandleFunc("POST "+frame.PathBlobs, h.takeBlob)
		mux.HandleFunc("GET "+frame.PathBlobs+"/{id}", h.giveBlob)
	}
	if h.cfg.Flows != nil {
		mux.HandleFunc("POST "+frame.PathFlows, h.giveFlow)
		mux.HandleFunc("POST "+frame.PathFlowSteps, h.takeStep)
	}
	if g != nil {
		mux.HandleFunc("POST "+frame.PathCodes, func(w http.ResponseWriter, r *http.Request) {
			peer := h.cfg.Address(r)
			answer(w, r, g, func(ctx context.Context, req *frame.CodeRequest) (any, error) { return g.SendCode(ctx, req, peer) })
		})
		mux.HandleFunc("POST "+frame.PathDevices, func(w http.ResponseWriter, r *http.Request) {
			answer(w, r, g, func(ctx context.Context, req *frame.Registration) (any, error) { return g.Register(ctx, req) })
		})
	}
	mux.HandleFunc("/network/v1/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, frame.Refuse(frame.ErrUnsupported, "not available on this server"))
	})
	return mux
}

// answer reads a JSON body, serves it and writes the result.
func answer[T any](w http.ResponseWriter, r *http.Request, g *Registrar, serve func(context.Context, *T) (any, error)) {
	req := new(T)
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(req)
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		refuse(w, frame.Refuse(frame.ErrTooLarge, "the body is too long"))
		return
	}
	if err != nil {
		refuse(w, frame.Refuse(frame.ErrFormat, "the body is not the JSON expected"))
		return
	}
	res, err := serve(r.Context(), req)
	if err == nil {
		writeJSON(w, http.StatusOK, res)
		return
	}
	e, ok := errors.AsType[*frame.Error](err)
	if !ok {
		g.log.ErrorContext(r.Context(), "registration request ended badly", "path", r.URL.Path, "err", err)
		e = frame.Refuse(frame.ErrBusy, "try again")
	}
	refuse(w, e)
}

func refuse(w http.ResponseWriter, e *frame.Error) { writeJSON(w, e.Code.Status(), e.To(0)) }

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}

// peerAddress is the address a request came from. Neighbours in one IPv6 /64 count as one.
func peerAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if ip = ip.Unmap(); ip.Is6() {
		if p, err := ip.WithZone("").Prefix(64); err == nil {
			return p.Masked().String()
		}
	}
	return ip.String()
}
