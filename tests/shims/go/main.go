// Command go is the conformance shim of the Go package: it answers one JSON
// object per line, as tests/shims/README.md describes.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"log"
	"os"

	"github.com/donjon-security/donjon/bindings/go/internal/shim"
)

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			answer(out, bytes.TrimSuffix(line, []byte("\n")))
		}
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}

func answer(out *bufio.Writer, line []byte) {
	_, _ = out.Write(shim.Dispatch(line))
	_ = out.WriteByte('\n')
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}
