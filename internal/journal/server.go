package journal

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

const (
	// unlimited keeps the server from refusing on its own account: the disk is the limit.
	unlimited = 1 << 60
	// serverMemory is for streams kept in memory, of which there are none; 0 would mean most of the machine.
	serverMemory = 1 << 20
	startTimeout = 30 * time.Second
)

// node is the server of this process.
type node struct {
	*server.Server
	password string // of clients; empty when only this process can reach it
}

// stop ends the server and waits until its files are closed.
func (n *node) stop() {
	n.Shutdown()
	n.WaitForShutdown()
}

// startServer starts the server of this process over dir, alone or as a node of a cluster. It returns when all streams are
// recovered.
func startServer(o Options, sick func(error)) (*node, error) {
	so := &server.Options{
		ServerName:             "journal",
		DontListen:             true,
		JetStream:              true,
		StoreDir:               o.Dir,
		SyncAlways:             true, // else the server acknowledges first and syncs every two minutes
		JetStreamMaxStore:      unlimited,
		JetStreamMaxMemory:     serverMemory,
		MaxPayload:             maxPayload,
		NoSigs:                 true,
		DisableJetStreamBanner: true,
	}
	if o.Cluster != nil {
		if err := joinCluster(so, o.Cluster); err != nil {
			return nil, err
		}
	}
	s, err := server.NewServer(so)
	if err != nil {
		return nil, fmt.Errorf("configure journal server: %w", err)
	}
	n := &node{Server: s, password: so.Password}
	log := &serverLog{log: o.Logger, sick: sick}
	s.SetLoggerV2(log, false, false, false)
	s.Start()
	if err = log.failure(); err == nil && !s.ReadyForConnections(startTimeout) {
		err = fmt.Errorf("%w: server is not ready", ErrUnavailable)
	}
	if err == nil {
		err = checkSync(s)
	}
	if err != nil {
		n.stop()
		return nil, fmt.Errorf("start journal server: %w", err)
	}
	return n, nil
}

// checkSync refuses to run a server that would acknowledge what is not on disk.
func checkSync(s *server.Server) error {
	if c := s.JetStreamConfig(); c == nil || !c.SyncAlways {
		return errors.New("server does not sync before it acknowledges")
	}
	return nil
}

// joinCluster makes the server a node. A server with routes must have a port for clients too: it is on loopback, and its
// password is thrown away except for this process's own connections.
func joinCluster(so *server.Options, c *Cluster) error {
	host, portText, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("listen address of the cluster: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil || c.Node == "" {
		return fmt.Errorf("cluster needs a node name and a numeric port, not %q and %q", c.Node, portText)
	}
	so.ServerName = c.Node
	so.DontListen = false
	so.Host, so.Port = "127.0.0.1", server.RANDOM_PORT
	so.Username, so.Password = clusterName, rand.Text()
	so.Cluster = server.ClusterOpts{Name: clusterName, Host: host, Port: port, Username: clusterName, Password: c.Secret, PoolSize: -1}
	for _, r := range c.Routes {
		so.Routes = append(so.Routes, &url.URL{Scheme: "nats", Host: r, User: url.UserPassword(clusterName, c.Secret)})
	}
	return nil
}

// clusterName is also the user name of nodes and of their own clients.
const clusterName = "hikyaku"
