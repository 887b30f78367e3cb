package donjon

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// replacing returns a function that writes a copy, and does something meanwhile.
func replacing(meanwhile func()) func(in, out *os.File) error {
	return func(in, out *os.File) error {
		_, err := io.Copy(out, in)
		meanwhile()
		return err
	}
}

// leaves fails if a directory has other files than this one, temporary ones, say.
func leaves(t *testing.T, path, content string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || string(text) != content {
		t.Errorf("left %q, %v, want %q", text, err, content)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestNewerFileIsNotReplaced(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"written to": func(path string) error {
			err := os.WriteFile(path, []byte("newer"), 0o600)
			return errors.Join(err, os.Chtimes(path, time.Time{}, time.Now().Add(time.Second)))
		},
		"longer": func(path string) error {
			before, err := os.Stat(path)
			must(t, err)
			err = os.WriteFile(path, []byte("newer!"), 0o600)
			return errors.Join(err, os.Chtimes(path, time.Time{}, before.ModTime()))
		},
		"replaced": func(path string) error {
			before, err := os.Stat(path)
			must(t, err)
			err = os.WriteFile(path+"~", []byte("newer"), 0o600)
			return errors.Join(err, os.Chtimes(path+"~", time.Time{}, before.ModTime()), os.Rename(path+"~", path))
		},
	} {
		path := filepath.Join(t.TempDir(), "file")
		must(t, os.WriteFile(path, []byte("older"), 0o600))
		err := replaceFile(path, path, replacing(func() { must(t, change(path)) }))
		if !errors.Is(err, errChanged) {
			t.Errorf("%s: %v", name, err)
		}
		want := "newer"
		if name == "longer" {
			want = "newer!"
		}
		leaves(t, path, want)
	}

	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	must(t, os.WriteFile(path, []byte("older"), 0o600))
	err := replaceFile(path, path, replacing(func() { must(t, os.Remove(path)) }))
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("removed: left %v, %v", entries, err)
	}
}

func TestPanicLeavesNoTemporaryFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, []byte("before"), 0o600))
	func() {
		defer func() { _ = recover() }()
		_ = replaceFile(path, path, replacing(func() { panic("broken") }))
		t.Error("no panic")
	}()
	leaves(t, path, "before")
}
