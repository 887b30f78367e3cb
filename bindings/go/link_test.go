//go:build !donjon_pkgconfig && !donjon_shim

package donjon_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The library exports donjon_* only, so that a program may link another Rust
// archive, with another copy of Rust's standard library in it.
func TestProgramLinksASecondRustArchive(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	module, err := os.Getwd()
	ok(t, err)
	dir := t.TempDir()
	for name, content := range map[string]string{
		"main.go": read(t, "testdata/second/main.go.txt"),
		"go.mod": fmt.Sprintf("module second\n\ngo 1.25\n\n"+
			"require github.com/donjon-security/donjon/bindings/go v0.0.0\n\n"+
			"replace github.com/donjon-security/donjon/bindings/go => %s\n", module),
	} {
		ok(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	run(t, dir, "rustc", "--edition", "2024", "--crate-type", "staticlib", "-O",
		"-o", filepath.Join(dir, "libsecond.a"), filepath.Join(module, "testdata/second/second.rs"))
	run(t, dir, "go", "build", "-o", "program", ".")
	equal(t, "output", run(t, dir, "./program"), "second: 1000\n")
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	ok(t, err)
	return string(text)
}

// run returns the standard output of a command that succeeds.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	command := exec.Command(name, args...)
	command.Dir, command.Stderr = dir, &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, stderr.String())
	}
	return string(out)
}
