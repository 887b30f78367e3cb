package donjon_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

func TestFilesAreSealedAndOpened(t *testing.T) {
	for source, s := range sealings(t) {
		dir := t.TempDir()
		at := func(name string) string { return filepath.Join(dir, name) }
		for _, size := range streamSizes {
			ok(t, os.WriteFile(at("plain"), text(size), 0o644))
			ok(t, s.SealFile(at("plain"), at("sealed"), here, nil))
			ok(t, s.OpenFile(at("sealed"), at("opened"), here, &donjon.StreamOptions{Threads: 2}))
			same(t, source, contents(t, at("opened")), text(size))
			opened, err := s.Open(here, contents(t, at("sealed")))
			ok(t, err)
			same(t, source+", at once", opened, text(size))
		}
		for _, name := range []string{"sealed", "opened"} {
			info, err := os.Stat(at(name))
			ok(t, err)
			equal(t, name, info.Mode(), fs.FileMode(0o600))
		}
		ok(t, s.SealFile(at("plain"), at("plain"), here, nil))
		ok(t, s.OpenFile(at("plain"), at("plain"), here, nil))
		same(t, "in place", contents(t, at("plain")), text(streamSizes[len(streamSizes)-1]))
		onlyThere(t, dir, "opened", "plain", "sealed")
	}
}

func TestFileThatDoesNotOpenReplacesNothing(t *testing.T) {
	s := newDataKey(t)
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "sealed"), filepath.Join(dir, "opened")
	ok(t, os.WriteFile(dst, []byte("before"), 0o600))
	envelope := sealed(t, s, text(100_000))
	for _, part := range [][]byte{nil, envelope[:10], envelope[:50_000], envelope[:len(envelope)-1], append(envelope, 0)} {
		ok(t, os.WriteFile(src, part, 0o600))
		if err := s.OpenFile(src, dst, here, nil); !errors.Is(err, donjon.ErrDecryptFailed) {
			t.Errorf("%d bytes: %v", len(part), err)
		}
	}
	if err := s.OpenFile(filepath.Join(dir, "none"), dst, here, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := s.SealFile(dir, dst, here, nil); err == nil {
		t.Error("sealed a directory")
	}
	if err := s.SealFile(src, filepath.Join(dir, "none", "sealed"), here, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if err := s.SealFile(src, dst, donjon.Context{}, nil); !errors.Is(err, donjon.ErrInvalidArgument) {
		t.Errorf("no context: %v", err)
	}
	equal(t, "destination", string(contents(t, dst)), "before")
	onlyThere(t, dir, "opened", "sealed")
}

func TestOnlyFilesAreReplaced(t *testing.T) {
	s := newDataKey(t)
	dir := t.TempDir()
	file, link, folder := filepath.Join(dir, "file"), filepath.Join(dir, "link"), filepath.Join(dir, "folder")
	ok(t, os.WriteFile(file, []byte("before"), 0o600))
	ok(t, os.Symlink("file", link))
	ok(t, os.Mkdir(folder, 0o700))
	for _, dst := range []string{link, folder} {
		err := s.SealFile(file, dst, here, nil)
		var refusal *fs.PathError
		if !errors.As(err, &refusal) || refusal.Path != dst {
			t.Errorf("%s: %v", dst, err)
		}
	}
	equal(t, "what the link leads to", string(contents(t, link)), "before")
	onlyThere(t, dir, "file", "folder", "link")
}

func TestFileIsRewrapped(t *testing.T) {
	keys := newKeys(t)
	old := sealerOf(t, keys)
	rotated, err := keys.Rotate(donjon.Rotation{Purpose: donjon.PurposeEnvelope})
	ok(t, err)
	defer rotated.Close()
	dir := t.TempDir()
	path := filepath.Join(dir, "sealed")
	for _, size := range streamSizes {
		envelope := sealed(t, old, text(size))
		ok(t, os.WriteFile(path, envelope, 0o600))
		current := sealerOf(t, rotated)
		ok(t, current.RewrapFile(path, nil))
		needed, err := current.NeedsRewrap(contents(t, path))
		ok(t, err)
		equal(t, "still needs rewrap", needed, false)
		opened, err := current.Open(here, contents(t, path))
		ok(t, err)
		same(t, "rewrapped", opened, text(size))
		if err := old.RewrapFile(path, nil); err != nil {
			continue // by who has no such key
		}
	}
	ok(t, os.WriteFile(path, []byte("no envelope"), 0o600))
	if err := old.RewrapFile(path, nil); !errors.Is(err, donjon.ErrDecryptFailed) {
		t.Errorf("no envelope: %v", err)
	}
	equal(t, "what was no envelope", string(contents(t, path)), "no envelope")
	onlyThere(t, dir, "sealed")
}

func contents(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	ok(t, err)
	return b
}

// onlyThere fails if a directory has other files: temporary ones, say.
func onlyThere(t testing.TB, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	ok(t, err)
	equal(t, "number of files", len(entries), len(names))
	for i, entry := range entries {
		equal(t, "file", entry.Name(), names[min(i, len(names)-1)])
	}
}
