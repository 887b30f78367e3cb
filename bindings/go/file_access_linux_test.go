package donjon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// An operator who may write to the folder, but is not the owner of the file, cannot
// give a new one to the owner.
func TestFileOfSomebodyElseIsNotReplaced(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to be somebody else")
	}
	dir := t.TempDir()
	in, err := os.Create(filepath.Join(dir, "in"))
	must(t, err)
	defer in.Close()
	out, err := os.Create(filepath.Join(dir, "out"))
	must(t, err)
	defer out.Close()
	const owner, operator = 1234, 5678
	must(t, in.Chown(owner, owner))
	must(t, out.Chown(operator, operator))
	refusal := make(chan error)
	go func() {
		runtime.LockOSThread() // for ever: the thread ends with the goroutine
		if err := syscall.Setfsuid(operator); err != nil {
			refusal <- err
			return
		}
		refusal <- keepAccess(in, out)
	}()
	if err := <-refusal; !errors.Is(err, fs.ErrPermission) {
		t.Errorf("kept: %v", err)
	}
}
