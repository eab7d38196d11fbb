package web_test

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/finarc/finarc/archive"
	"github.com/finarc/finarc/web"
)

// pipes is a listener whose connections are pipes.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// TestSlowClients: who sends a request too slowly, asks nothing any more or does not
// take the answer is dropped.
func TestSlowClients(t *testing.T) {
	for name, c := range map[string]struct {
		send  string
		takes bool
		after time.Duration
	}{
		"half a request":       {"GET / HTTP/1.1\r\nHost: x\r\n", true, 5 * time.Second},
		"nothing":              {"", true, 5 * time.Second},
		"nothing more":         {"GET " + somePost + " HTTP/1.1\r\nHost: x\r\n\r\n", true, time.Minute},
		"an answer left there": {"GET " + somePost + " HTTP/1.1\r\nHost: x\r\n\r\n", false, web.DefaultLimits().Time + 30*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, err := web.New(options(t, sick{Store: noCounts{}, revisions: func(context.Context) error { return archive.ErrNoPost }},
					func(o *web.Options) { o.Now = time.Now }))
				if err != nil {
					t.Fatal(err)
				}
				ctx, stop := context.WithCancel(t.Context())
				ended, l := make(chan error), make(pipes)
				go func() { ended <- server.Serve(ctx, l) }()
				client, conn := net.Pipe()
				l <- conn
				if _, err := io.WriteString(client, c.send); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if !c.takes {
					time.Sleep(c.after + time.Second)
				}
				answer, err := io.ReadAll(client)
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); c.takes && took != c.after || !c.takes && len(answer) > 0 {
					t.Errorf("dropped after %v with %d bytes, want %v", took, len(answer), c.after)
				}
				stop()
				if err := <-ended; err != nil {
					t.Error(err)
				}
			})
		})
	}
}
