package donjon

import (
	"io"
	"os"
	"slices"
	"time"
)

// SealFile seals the file src into the file dst, which may be the same. It writes
// dst by way of a temporary file beside it, of mode 0600, which replaces dst at
// once when all of it is on the disk: dst is never a part, whatever happens. A link
// or a device is not replaced, nor is src if it changed while it was read: these are
// errors. A process that is killed leaves the temporary file, named .donjon-*,
// behind. A nil opts means the zero [StreamOptions].
func (s *Sealer) SealFile(src, dst string, context Context, opts *StreamOptions) error {
	return replaceFile(src, dst, func(in, out *os.File) error {
		w, err := s.NewWriter(out, context, opts)
		if err != nil {
			return err
		}
		defer w.Abort()
		if _, err := w.ReadFrom(in); err != nil {
			return err
		}
		return w.Close()
	})
}

// OpenFile opens the envelope in the file src into the file dst, as
// [Sealer.SealFile] writes it: if src is not whole, dst is left as it was. The
// temporary file that a killed process leaves behind is then plaintext.
func (s *Sealer) OpenFile(src, dst string, context Context, opts *StreamOptions) error {
	return replaceFile(src, dst, func(in, out *os.File) error {
		r, err := s.NewReader(in, context, opts)
		if err != nil {
			return err
		}
		defer r.Close()
		_, err = r.WriteTo(out)
		return err
	})
}

// RewrapFile is [Sealer.Rewrap] of the envelope in the file path, as
// [Sealer.SealFile] writes it, but of the owner and the mode that it had; access
// control lists and other attributes are lost. Where owner and mode cannot stay, or
// the file has several hard links, of which only one would be rewrapped, it is left
// as it was, which is an error.
func (s *Sealer) RewrapFile(path string, to *Sealer) error {
	return replaceFile(path, path, func(in, out *os.File) error {
		if err := keepAccess(in, out); err != nil {
			return err
		}
		beginning := source{reader: in, block: make([]byte, EnvelopePrefixMax)}
		prefix, err := beginning.fill()
		if err != nil {
			return err
		}
		header, old, err := s.rewrap(prefix, to, time.Now())
		if err != nil {
			return err
		}
		if _, err := out.Write(slices.Concat(header, prefix[old:])); err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return err
	})
}
