package donjon

import "io"

// A source reads in blocks. It tells the end of its reader, [io.EOF], from all
// other errors, [io.ErrUnexpectedEOF] among them.
type source struct {
	reader io.Reader
	block  []byte
	err    error // that came with the last bytes
}

// emptyReads is how often in a row a reader may return nothing, as in [bufio].
const emptyReads = 100

// next returns some bytes, at most a block of them, or an error. They are good
// until it is called again.
func (s *source) next() ([]byte, error) {
	for range emptyReads {
		if s.err != nil {
			return nil, s.err
		}
		var n int
		n, s.err = s.reader.Read(s.block)
		if n > 0 {
			return s.block[:n], nil
		}
	}
	return nil, io.ErrNoProgress
}

// fill returns the next bytes, as many as there are room for in the block, and
// fewer only at the end.
func (s *source) fill() ([]byte, error) {
	whole := s.block
	defer func() { s.block = whole }()
	filled := 0
	for filled < len(whole) {
		s.block = whole[filled:]
		piece, err := s.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		filled += len(piece)
	}
	return whole[:filled], nil
}
