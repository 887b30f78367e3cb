package redisstore_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/donjon-security/donjon/bindings/go"
	"github.com/donjon-security/donjon/bindings/go/redisstore"
	"github.com/redis/go-redis/v9"
)

func sessionKeys(t testing.TB) *donjon.Keyring {
	t.Helper()
	keys, err := donjon.GenerateKeyring(map[donjon.Purpose]donjon.Algorithm{
		donjon.PurposeToken: donjon.EdDSA, donjon.PurposeDevice: donjon.HS256, donjon.PurposeCSRF: donjon.HS256,
	})
	ok(t, err)
	t.Cleanup(func() { _ = keys.Close() })
	return keys
}

func managerOn(t testing.TB, keys *donjon.Keyring, store donjon.RecordStore, timeout time.Duration) *donjon.SessionManager {
	t.Helper()
	manager, err := donjon.NewSessionManager(keys, store, donjon.SessionManagerOptions{
		Timeout: timeout, Logger: slog.New(slog.DiscardHandler),
	})
	ok(t, err)
	t.Cleanup(func() { _ = manager.Close() })
	return manager
}

var home = donjon.SessionClient{Address: "203.0.113.7", UserAgent: "test"}

// Killed and started again empty, and flushed, under load: nobody is in who has logged
// out, and whoever was in is out.
func TestAServerThatIsLostUnderLoadLetsNobodyIn(t *testing.T) {
	s := start(t)
	keys := sessionKeys(t)
	m := managerOn(t, keys, redisstore.NewRecords(s.client(nil), nil), 200*time.Millisecond)
	var in, unavailable atomic.Int64
	done := make(chan struct{})
	var load sync.WaitGroup
	defer load.Wait()
	defer close(done)
	for worker := range 8 {
		user := string(rune('a' + worker))
		load.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				logged, err := m.LogIn(t.Context(), donjon.NewSession{Subject: user, Client: home}, "")
				if err != nil {
					if !errors.Is(err, donjon.ErrStoreUnavailable) {
						t.Errorf("log-in: %v", err)
					}
					unavailable.Add(1)
					continue
				}
				_, err = m.Check(t.Context(), logged.ID, home)
				switch {
				case err == nil:
					in.Add(1)
				case !errors.Is(err, donjon.ErrStoreUnavailable) && !errors.Is(err, donjon.ErrInvalidSession):
					t.Errorf("check: %v", err)
				}
				if m.LogOut(t.Context(), logged.ID) != nil {
					continue // it may have happened, or not
				}
				if _, err := m.Check(t.Context(), logged.ID, home); err == nil {
					t.Error("in after log-out")
				}
			}
		})
	}
	grows := func(what string, count *atomic.Int64) {
		t.Helper()
		before := count.Load()
		for range 2000 {
			if count.Load() > before+20 {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("not in time: %s", what)
	}
	// While the server is there, an answer that came too late is asked for again.
	answered := func(call func() error) (err error) {
		for range 200 {
			if err = call(); !errors.Is(err, donjon.ErrStoreUnavailable) {
				break
			}
		}
		return err
	}
	for range 2 {
		grows("logged in", &in)
		var old *donjon.LoggedIn
		ok(t, answered(func() (err error) {
			old, err = m.LogIn(t.Context(), donjon.NewSession{Subject: "old", Client: home}, "")
			return err
		}))
		s.kill()
		grows("unavailable", &unavailable)
		if _, err := m.Check(t.Context(), old.ID, home); !errors.Is(err, donjon.ErrStoreUnavailable) {
			t.Errorf("while the server is down: %v", err)
		}
		s.run()
		grows("logged in again", &in)
		err := answered(func() error {
			_, err := m.Check(t.Context(), old.ID, home)
			return err
		})
		if !errors.Is(err, donjon.ErrInvalidSession) {
			t.Errorf("after the server has lost everything: %v", err)
		}
		ok(t, s.client(nil).FlushAll(t.Context()).Err())
		grows("logged in after it was flushed", &in)
	}
}

// With WaitReplicas, what was acknowledged is there after a fail-over.
func TestAcknowledgedWritesSurviveAFailOver(t *testing.T) {
	primary := start(t)
	_, port, err := net.SplitHostPort(primary.address)
	ok(t, err)
	replica := start(t, "--replicaof", "127.0.0.1 "+port)
	synced := func() bool {
		return primary.client(nil).Wait(t.Context(), 1, 100*time.Millisecond).Val() == 1
	}
	for !synced() && t.Context().Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	keys := sessionKeys(t)
	opts := &redisstore.RecordsOptions{WaitReplicas: 1, WaitTimeout: 2 * time.Second}
	store := redisstore.NewRecords(primary.client(nil), opts)
	m := managerOn(t, keys, store, 10*time.Second)
	var logged [10]*donjon.LoggedIn
	for i := range logged {
		logged[i], err = m.LogIn(t.Context(), donjon.NewSession{Subject: string(rune('a' + i)), Client: home}, "")
		ok(t, err)
	}
	for _, one := range logged[:5] {
		ok(t, m.LogOut(t.Context(), one.ID))
	}
	primary.kill()
	ok(t, replica.client(nil).SlaveOf(t.Context(), "no", "one").Err())
	promoted := managerOn(t, keys, redisstore.NewRecords(replica.client(nil), nil), 10*time.Second)
	for i, one := range logged {
		_, err := promoted.Check(t.Context(), one.ID, home)
		if (err == nil) != (i >= 5) {
			t.Errorf("session %d: %v", i, err)
		}
	}

	// Nobody acknowledges: it has happened, and is not said to be good.
	lonely := redisstore.NewRecords(replica.client(nil), &redisstore.RecordsOptions{WaitReplicas: 1, WaitTimeout: time.Millisecond})
	replaced, err := lonely.Replace(t.Context(), "key", nil, []byte("a"), time.Hour)
	if !errors.Is(err, donjon.ErrStoreUnavailable) || replaced {
		t.Errorf("replaced %v, %v", replaced, err)
	}
	values, err := lonely.GetMany(t.Context(), []string{"key"})
	ok(t, err)
	equal(t, "what is there", string(values[0]), "a")
	if err := managerOn(t, keys, lonely, time.Second).LogOut(t.Context(), logged[9].ID); !errors.Is(err, donjon.ErrStoreUnavailable) {
		t.Errorf("logged out: %v", err)
	}
}

// What nobody has acknowledged is no better known when it is asked for again.
func TestWhatWasNotAcknowledgedIsNotSaidToBeDoneTheNextTime(t *testing.T) {
	s := start(t)
	keys := sessionKeys(t)
	m := managerOn(t, keys, redisstore.NewRecords(s.client(nil), nil), 10*time.Second)
	logged, err := m.LogIn(t.Context(), donjon.NewSession{Subject: "ann", Client: home}, "")
	ok(t, err)
	opts := &redisstore.RecordsOptions{WaitReplicas: 1, WaitTimeout: time.Millisecond}
	for name, store := range map[string]donjon.RecordStore{
		"asked":      redisstore.NewRecords(s.client(nil), opts),
		"remembered": &donjon.CachedRecords{Store: redisstore.NewRecords(s.client(nil), opts), MaxAge: time.Minute},
	} {
		lonely := managerOn(t, keys, store, 10*time.Second)
		for range 2 {
			if err := lonely.LogOut(t.Context(), logged.ID); !errors.Is(err, donjon.ErrStoreUnavailable) {
				t.Errorf("%s: logged out: %v", name, err)
			}
			if err := lonely.Revocations().RevokeFamily(t.Context(), "ann", "AAAAAAAAAAAAAAAAAAAAAA"); !errors.Is(err, donjon.ErrStoreUnavailable) {
				t.Errorf("%s: revoked: %v", name, err)
			}
		}
	}
}

// Whatever strangers have limits keyed by, sets are published.
func TestKeysOfOthersAreNotPublished(t *testing.T) {
	s := start(t)
	client := s.client(nil)
	revocations, err := donjon.NewRevocations(sessionKeys(t), redisstore.NewRecords(client, nil), donjon.RevocationsOptions{})
	ok(t, err)
	defer revocations.Close()
	keys := sessionKeys(t)
	limits := redisstore.New(client, nil)
	_, err = limits.Spend(t.Context(), parse(t, "5/hour"), "login:revoked:x", 1)
	ok(t, err)
	for _, key := range []string{"donjon:{login:revoked:x}", "donjon:{AAAAAAAAAAAAAAAAAAAAAA}:revoked:since}", "donjon:revoked:\xff", "donjon:revoked:key:short"} {
		ok(t, client.Set(t.Context(), key, "odd", 0).Err())
	}
	ok(t, revocations.RevokeSubject(t.Context(), "ann"))
	ok(t, revocations.RevokeKey(t.Context(), "key"))
	ok(t, revocations.RevokeToken(t.Context(), "ann", "id", time.Now().Add(time.Hour)))
	ok(t, revocations.RevokeFamily(t.Context(), "ann", "family"))
	set, err := revocations.Publish(t.Context(), keys, time.Hour)
	ok(t, err)
	opened, err := donjon.OpenRevocationSet(set, keys, 0)
	ok(t, err)
	defer opened.Close()
	for _, query := range []donjon.RevocationQuery{
		{Subject: "ann", IssuedAt: time.Now().Add(-time.Hour)}, {KeyID: "key"}, {TokenID: "id"}, {Family: "family"},
	} {
		if _, err := opened.Check(query); !errors.Is(err, donjon.ErrRevoked) {
			t.Errorf("%+v: %v", query, err)
		}
	}
}

func TestAcknowledgedWritesOnACluster(t *testing.T) {
	client := cluster(t)
	lonely := redisstore.NewRecords(client, &redisstore.RecordsOptions{WaitReplicas: 1, WaitTimeout: time.Millisecond})
	for range 2 { // the second time, the script is known
		if _, err := lonely.Replace(t.Context(), "{a}:key", nil, []byte("a"), time.Hour); !errors.Is(err, donjon.ErrStoreUnavailable) {
			t.Errorf("replaced: %v", err)
		}
	}
	values, err := redisstore.NewRecords(client, nil).GetMany(t.Context(), []string{"{a}:key", "{b}:key"})
	ok(t, err)
	equal(t, "what is there", string(values[0]), "a")
}

// A server that accepts and says nothing is given up on in time.
func TestRecordsOfAServerThatHangsAreGivenUpOnInTime(t *testing.T) {
	address := hostile(t, func(int) string { return "" })
	for _, keeps := range []bool{true, false} {
		client := redis.NewClient(&redis.Options{
			Addr: address, ContextTimeoutEnabled: keeps, Protocol: 2, DisableIdentity: true, MaxRetries: -1,
		})
		defer client.Close()
		store := redisstore.NewRecords(client, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		began := time.Now()
		_, err := store.Replace(ctx, "key", nil, []byte("a"), time.Hour)
		cancel()
		if !errors.Is(err, donjon.ErrStoreUnavailable) || time.Since(began) > time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	}
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer mute.Close()
	go func() {
		for {
			connection, err := mute.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, connection) }()
		}
	}()
	client := redis.NewClient(&redis.Options{Addr: mute.Addr().String()})
	defer client.Close()
	m := managerOn(t, sessionKeys(t), redisstore.NewRecords(client, nil), 50*time.Millisecond)
	began := time.Now()
	_, err = m.LogIn(t.Context(), donjon.NewSession{Subject: "ann"}, "")
	if !errors.Is(err, donjon.ErrStoreUnavailable) || time.Since(began) > time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestNoRecordsRefuse(t *testing.T) {
	for _, store := range []*redisstore.Records{nil, new(redisstore.Records)} {
		if _, err := store.GetMany(t.Context(), []string{"a"}); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("got: %v", err)
		}
		if _, err := store.Replace(t.Context(), "a", nil, []byte("a"), time.Hour); !errors.Is(err, donjon.ErrClosed) {
			t.Errorf("replaced: %v", err)
		}
		for _, err := range store.Scan(t.Context(), "a") {
			if !errors.Is(err, donjon.ErrClosed) {
				t.Errorf("scanned: %v", err)
			}
		}
	}
	s := start(t)
	for name, create := range map[string]func(){
		"no client": func() { redisstore.NewRecords(nil, nil) },
		"reads from replicas": func() {
			redisstore.NewRecords(redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.address}, ReadOnly: true}), nil)
		},
		"reads from the nearest": func() {
			redisstore.NewRecords(redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.address}, RouteByLatency: true}), nil)
		},
		"reads from any": func() {
			redisstore.NewRecords(redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{s.address}, RouteRandomly: true}), nil)
		},
		"asks another server": func() {
			redisstore.NewRecords(redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": s.address}}), nil)
		},
		"a negative number": func() { redisstore.NewRecords(s.client(nil), &redisstore.RecordsOptions{WaitReplicas: -1}) },
		"half a millisecond": func() {
			redisstore.NewRecords(s.client(nil), &redisstore.RecordsOptions{WaitTimeout: 1500 * time.Microsecond})
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: made", name)
				}
			}()
			create()
		}()
	}
	ok(t, s.client(nil).LPush(t.Context(), redisstore.DefaultRecordsPrefix+"list", "a").Err())
	if _, err := redisstore.NewRecords(s.client(nil), nil).Replace(t.Context(), "list", nil, []byte("a"), time.Hour); !errors.Is(err, donjon.ErrStoreUnavailable) {
		t.Errorf("a list: %v", err)
	}
}

// A server that has become a replica, or is one: what was revoked at its primary, it may
// not know.
func TestAReplicaLetsNobodyIn(t *testing.T) {
	primary, replica := start(t, "--repl-diskless-sync-delay", "0"), start(t, "--repl-diskless-sync-delay", "0")
	follow := func(follower, followed *server) {
		host, port, err := net.SplitHostPort(followed.address)
		ok(t, err)
		ok(t, follower.client(nil).SlaveOf(t.Context(), host, port).Err())
	}
	follow(replica, primary)
	keys := sessionKeys(t)
	m := managerOn(t, keys, redisstore.NewRecords(primary.client(nil), nil), 10*time.Second)
	in, err := m.LogIn(t.Context(), donjon.NewSession{Subject: "ann", Client: home}, "")
	ok(t, err)
	for primary.client(nil).Wait(t.Context(), 1, 100*time.Millisecond).Val() != 1 && t.Context().Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	for _, protocol := range []int{2, 3} {
		elsewhere := managerOn(t, keys, redisstore.NewRecords(replica.client(func(o *redis.Options) { o.Protocol = protocol }), nil), 10*time.Second)
		for range 2 {
			if _, err := elsewhere.Check(t.Context(), in.ID, home); !errors.Is(err, donjon.ErrStoreUnavailable) {
				t.Errorf("protocol %d, at a replica: %v", protocol, err)
			}
		}
	}

	// Whoever had it as the primary finds out when it is next written to, which is at
	// most a second later.
	ok(t, replica.client(nil).SlaveOf(t.Context(), "no", "one").Err())
	follow(primary, replica)
	refused := func() bool {
		_, err := m.Check(t.Context(), in.ID, home)
		return errors.Is(err, donjon.ErrStoreUnavailable)
	}
	for end := time.Now().Add(10 * time.Second); !refused(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a primary that has become a replica lets in")
		}
	}
	if !refused() {
		t.Error("and again")
	}
	ok(t, primary.client(nil).SlaveOf(t.Context(), "no", "one").Err())
	if _, err := m.Check(t.Context(), in.ID, home); err != nil {
		t.Errorf("at the primary again: %v", err)
	}
}
