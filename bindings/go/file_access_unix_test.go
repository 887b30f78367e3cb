//go:build unix

package donjon_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestRewrappedFileKeepsOwnerAndMode(t *testing.T) {
	s := newSealer(t)
	path := filepath.Join(t.TempDir(), "sealed")
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o444, 0o664, 0o640 | fs.ModeSetgid} {
		ok(t, os.WriteFile(path, sealed(t, s, text(20_000)), 0o600))
		uid, gid := os.Getuid(), os.Getgid()
		if uid == 0 {
			uid, gid = 1234, 5678 // anybody
		}
		ok(t, os.Chown(path, uid, gid))
		ok(t, os.Chmod(path, mode))
		before := contents(t, path)
		ok(t, s.RewrapFile(path, nil))
		if string(contents(t, path)) == string(before) {
			t.Error("not rewrapped")
		}
		info, err := os.Stat(path)
		ok(t, err)
		equal(t, "mode", info.Mode(), mode)
		stat := info.Sys().(*syscall.Stat_t)
		equal(t, "owner", int(stat.Uid), uid)
		equal(t, "group", int(stat.Gid), gid)
		ok(t, os.Remove(path))
	}
}

// The other names would stay under the old key, and be lost with it.
func TestFileOfSeveralNamesIsNotRewrapped(t *testing.T) {
	s := newSealer(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "sealed")
	envelope := sealed(t, s, text(20_000))
	ok(t, os.WriteFile(path, envelope, 0o600))
	ok(t, os.Link(path, filepath.Join(dir, "twin")))
	err := s.RewrapFile(path, nil)
	var refusal *fs.PathError
	if !errors.As(err, &refusal) || refusal.Path != path {
		t.Errorf("rewrapped: %v", err)
	}
	same(t, "left", contents(t, path), envelope)
	onlyThere(t, dir, "sealed", "twin")
}
