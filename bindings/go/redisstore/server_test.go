package redisstore_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A server is a redis-server of this test's own.
type server struct {
	t       testing.TB
	address string
	args    []string
	process *exec.Cmd
	log     bytes.Buffer
}

// start starts a server on a free port of the loopback interface.
func start(t testing.TB, args ...string) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	address := listener.Addr().String()
	ok(t, listener.Close())
	_, port, err := net.SplitHostPort(address)
	ok(t, err)
	s := &server{t: t, address: address, args: append([]string{
		"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(),
	}, args...)}
	s.run()
	t.Cleanup(s.kill)
	return s
}

// run starts the process, and waits until it answers.
func (s *server) run() {
	s.t.Helper()
	s.log.Reset()
	s.process = exec.Command("redis-server", s.args...)
	s.process.Stdout, s.process.Stderr = &s.log, &s.log
	ok(s.t, s.process.Start())
	client := redis.NewClient(&redis.Options{Addr: s.address, MaxRetries: -1})
	defer client.Close()
	for range 200 {
		if client.Ping(context.Background()).Err() == nil {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.kill()
	s.t.Fatalf("redis-server does not answer: %s", s.log.String())
}

// kill ends the process at once, with all that it has in memory.
func (s *server) kill() {
	if s.process != nil {
		_ = s.process.Process.Kill()
		_ = s.process.Wait()
		s.process = nil
	}
}

func (s *server) client(change func(*redis.Options)) *redis.Client {
	opts := &redis.Options{Addr: s.address, ContextTimeoutEnabled: true}
	if change != nil {
		change(opts)
	}
	client := redis.NewClient(opts)
	s.t.Cleanup(func() { _ = client.Close() })
	return client
}

// cluster starts a cluster of one server, which has all slots.
func cluster(t testing.TB) *redis.ClusterClient {
	t.Helper()
	s := start(t, "--cluster-enabled", "yes")
	node := s.client(nil)
	ok(t, node.ClusterAddSlotsRange(t.Context(), 0, 16383).Err())
	for range 200 {
		if info := node.ClusterInfo(t.Context()).Val(); strings.Contains(info, "cluster_state:ok") {
			client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.address}})
			t.Cleanup(func() { _ = client.Close() })
			return client
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("the cluster has no state")
	return nil
}

// hostile is a server that answers scripts with what it is told to. It returns its
// address.
func hostile(t testing.TB, answer func(call int) string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go serveHostile(connection, answer)
		}
	}()
	return listener.Addr().String()
}

func serveHostile(connection net.Conn, answer func(call int) string) {
	defer connection.Close()
	calls := 0
	commands := newCommands(connection)
	for {
		command, err := commands.next()
		if err != nil {
			return
		}
		text := "-ERR unknown command\r\n"
		switch strings.ToUpper(command) {
		case "EVALSHA", "EVAL":
			calls++
			text = answer(calls)
		case "CLIENT":
			text = "+OK\r\n"
		}
		if text == "" {
			continue // and says nothing
		}
		if _, err := fmt.Fprint(connection, text); err != nil {
			return
		}
	}
}
