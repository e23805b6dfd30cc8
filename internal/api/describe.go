package api

import (
	"github.com/hikyaku/hikyaku/internal/api/contract"
	"github.com/hikyaku/hikyaku/internal/clock"
	"github.com/hikyaku/hikyaku/internal/graph"
)

// Describe is what the surface serves, in words. It needs no platform: the tables of nodes are the same everywhere.
func Describe() (*contract.Contract, error) {
	s := &surface{o: Options{Counts: noCounts{}, Clock: clock.System()}, meter: newMeter()}
	server, err := s.server()
	if err != nil {
		return nil, err
	}
	return contract.New(server.Describe(), rightOf)
}

// rightOf is what a call asks for, as enter decides it.
func rightOf(e graph.Endpoint) contract.Right {
	key := endpoint{e.Method, e.Kind, e.Path}
	r := contract.Right{Scopes: e.Scopes, Task: string(rights[key].task), Admin: adminOnly[key]}
	if listed := scopes(e.Method, e.Kind, e.Path); len(listed) > 0 {
		r.Scopes = listed
	}
	switch e.Kind {
	case kindPreverified:
		r.All = true
	case kindBusiness:
		r.All = e.Path == edgePreverified || e.Path == edgeAddNumbers || e.Path == edgeSharePre
	case kindApp:
		r.Own = "a token of the app"
		switch e.Path {
		case "":
			r.Own += ", or of a member of its portfolio"
		case edgeSubscriptions:
			r.Own = "the app's own token"
		}
	case kindUpload:
		r.Own = "a token of the app that began the upload"
	case kindSystemUser:
		if r.Scopes = texts(scopeB); !r.Admin {
			r.Own = "the system user's own token, or"
		}
	case kindPerson:
		r.Own = "the person's own token"
		if e.Path == edgeBusinesses {
			r.Scopes = texts(scopeB)
		}
	}
	return r
}
