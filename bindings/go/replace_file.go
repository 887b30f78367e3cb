package donjon

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

var (
	// errNotRegular is of a destination such as a link or a device, which would be
	// replaced itself and not what it leads to.
	errNotRegular = errors.New("not a regular file")

	// errChanged is of a file whose newer contents would be lost.
	errChanged = errors.New("the file changed while it was read")
)

// replaceFile replaces dst by what write makes of src: wholly, or not at all.
func replaceFile(src, dst string, write func(in, out *os.File) error) error {
	if info, err := os.Lstat(dst); err == nil && !info.Mode().IsRegular() {
		return &fs.PathError{Op: "replace", Path: dst, Err: errNotRegular}
	}
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	before, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.CreateTemp(filepath.Dir(dst), ".donjon-*") // of mode 0600
	if err != nil {
		return err
	}
	// Also if write panics. Once renamed, there is no such file any more.
	defer os.Remove(out.Name())
	defer out.Close()
	if err := write(in, out); err != nil {
		return err
	}
	if err := persist(out); err != nil {
		return err
	}
	if src == dst {
		if err := unchanged(src, before); err != nil {
			return err
		}
	}
	if err := os.Rename(out.Name(), dst); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dst))
}

// unchanged refuses a file that is another by now, or was written to.
func unchanged(path string, before fs.FileInfo) error {
	now, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(now, before) || now.Size() != before.Size() || !now.ModTime().Equal(before.ModTime()) {
		return &fs.PathError{Op: "replace", Path: path, Err: errChanged}
	}
	return nil
}

// persist closes file when it is on the disk.
func persist(file *os.File) error {
	if err := file.Sync(); err != nil {
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
