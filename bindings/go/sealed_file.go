package donjon

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// SealFile seals the file src into the file dst, which may be the same. It writes
// dst by way of a temporary file beside it, of mode 0600, which replaces dst at
// once when all of it is on the disk: dst is never a part, whatever happens. A link
// or a device is not replaced, which is an error. A process that is killed leaves
// the temporary file, named .donjon-*, behind. A nil opts means the zero
// [StreamOptions].
func (s *sealer) SealFile(src, dst string, context Context, opts *StreamOptions) error {
	return replaceFile(src, dst, func(in *os.File, out io.Writer) error {
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
func (s *sealer) OpenFile(src, dst string, context Context, opts *StreamOptions) error {
	return replaceFile(src, dst, func(in *os.File, out io.Writer) error {
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
// [Sealer.SealFile] writes it.
func (s *Sealer) RewrapFile(path string, to *Sealer) error {
	return replaceFile(path, path, func(in *os.File, out io.Writer) error {
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

// errNotRegular is of a destination such as a link or a device, which would be
// replaced itself and not what it leads to.
var errNotRegular = errors.New("not a regular file")

// replaceFile replaces dst by what write makes of src: wholly, or not at all.
func replaceFile(src, dst string, write func(in *os.File, out io.Writer) error) (err error) {
	if info, err := os.Lstat(dst); err == nil && !info.Mode().IsRegular() {
		return &fs.PathError{Op: "replace", Path: dst, Err: errNotRegular}
	}
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(dst), ".donjon-*") // of mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(out.Name())
		}
	}()
	if err := write(in, out); err != nil {
		out.Close()
		return err
	}
	if err := persist(out); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), dst); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dst))
}

// persist closes file when it is on the disk.
func persist(file *os.File) error {
	if err := file.Sync(); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// syncDir puts on the disk which files there are in a directory.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
