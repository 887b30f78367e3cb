package shim

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	errBadRequest    = errors.New("bad_request")
	errUnsupportedOp = errors.New("unsupported_op")
)

// A request is the raw text of each member of a line. The first member that is
// not what it should be is remembered, and the request is then refused.
type request struct {
	members map[string]json.RawMessage
	err     error
}

func parse(line []byte) (*request, error) {
	if !utf8.Valid(line) || !json.Valid(line) {
		return nil, errBadRequest
	}
	in := json.NewDecoder(bytes.NewReader(line))
	if brace, err := in.Token(); err != nil || brace != json.Delim('{') {
		return nil, errBadRequest
	}
	r := &request{members: make(map[string]json.RawMessage)}
	for in.More() {
		start := in.InputOffset()
		name, err := in.Token()
		if err != nil || hasLoneSurrogate(string(line[start:in.InputOffset()])) {
			return nil, errBadRequest
		}
		var value json.RawMessage
		if err := in.Decode(&value); err != nil {
			return nil, errBadRequest
		}
		r.members[name.(string)] = value // of duplicates, the last one counts
	}
	return r, nil
}

func (r *request) bad() { r.err = errBadRequest }

// optional returns the text of a member, or "" if it is absent or null.
func (r *request) optional(name string) string {
	if raw := string(r.members[name]); raw != "null" {
		return raw
	}
	return ""
}

// raw returns the text of a member that may be any JSON value.
func (r *request) raw(name string) json.RawMessage {
	raw, ok := r.members[name]
	if !ok {
		r.bad()
	}
	return raw
}

func (r *request) text(name string) string { return r.string(string(r.members[name])) }

func (r *request) optionalText(name string) string {
	if raw := r.optional(name); raw != "" {
		return r.string(raw)
	}
	return ""
}

func (r *request) string(raw string) string {
	var s string
	if !strings.HasPrefix(raw, `"`) || hasLoneSurrogate(raw) || json.Unmarshal([]byte(raw), &s) != nil {
		r.bad()
	}
	return s
}

// texts returns a list of strings, which is never nil.
func (r *request) texts(name string) []string {
	texts := []string{}
	raw := string(r.members[name])
	if !strings.HasPrefix(raw, "[") || hasLoneSurrogate(raw) {
		r.bad()
		return nil
	}
	var list []*string
	if json.Unmarshal([]byte(raw), &list) != nil {
		r.bad()
	}
	for _, text := range list {
		if text == nil {
			r.bad()
			return nil
		}
		texts = append(texts, *text)
	}
	return texts
}

// optionalTexts returns nil for a list that is absent or null.
func (r *request) optionalTexts(name string) []string {
	if r.optional(name) == "" {
		return nil
	}
	return r.texts(name)
}

func (r *request) int(name string) int64 { return r.integer(string(r.members[name])) }

// optionalInt returns the number, or otherwise if it is absent or null.
func (r *request) optionalInt(name string, otherwise int64) int64 {
	if raw := r.optional(name); raw != "" {
		return r.integer(raw)
	}
	return otherwise
}

func (r *request) integer(raw string) int64 {
	n, err := strconv.ParseInt(raw, 10, 64)
	if err != nil {
		r.bad()
	}
	return n
}

// size returns an integer from 0.
func (r *request) size(name string) int64 {
	n := r.int(name)
	if n < 0 {
		r.bad()
		return 0
	}
	return n
}

// u32 returns an integer from 0 that 32 bits hold.
func (r *request) u32(name string) uint32 {
	n := r.int(name)
	if n < 0 || n > math.MaxUint32 {
		r.bad()
	}
	return uint32(n)
}

// count returns an integer from 1 that 32 bits hold.
func (r *request) count(name string) uint32 {
	n := r.u32(name)
	if n == 0 {
		r.bad()
	}
	return n
}

func (r *request) bool(name string) bool {
	switch string(r.members[name]) {
	case "true":
		return true
	case "false":
		return false
	}
	r.bad()
	return false
}

func (r *request) hex(name string) []byte { return r.unhex(r.text(name)) }

// optionalHex returns no bytes, but not nil, if they are absent or null.
func (r *request) optionalHex(name string) []byte {
	if r.optional(name) == "" {
		return []byte{}
	}
	return r.hex(name)
}

func (r *request) hexes(name string) [][]byte {
	texts := r.texts(name)
	list := make([][]byte, len(texts))
	for i, text := range texts {
		list[i] = r.unhex(text)
	}
	return list
}

func (r *request) unhex(text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil || strings.ToLower(text) != text {
		r.bad()
	}
	return b
}

// hexOrNull returns nil for null. The member has to be there.
func (r *request) hexOrNull(name string) []byte {
	if string(r.members[name]) == "null" {
		return nil
	}
	return r.hex(name)
}

// timeOrNull returns the zero time for null. The member has to be there.
func (r *request) timeOrNull(name string) time.Time {
	if string(r.members[name]) == "null" {
		return time.Time{}
	}
	return time.Unix(r.int(name), 0)
}

// intOrNull returns -2^63 for null. The member has to be there.
func (r *request) intOrNull(name string) int64 {
	if string(r.members[name]) == "null" {
		return math.MinInt64
	}
	return r.int(name)
}

// duration returns n units, or as many as a duration can be.
func duration(n int64, unit time.Duration) time.Duration {
	most := int64(math.MaxInt64 / unit)
	return time.Duration(min(max(n, -most), most)) * unit
}

// hasLoneSurrogate reports whether a JSON string escapes half a character.
// encoding/json reads such a half as U+FFFD.
func hasLoneSurrogate(raw string) bool {
	for {
		at := strings.IndexByte(raw, '\\')
		if at < 0 {
			return false
		}
		unit := escape(raw[at:])
		switch {
		case unit < 0:
			raw = raw[at+2:]
		case 0xd800 <= unit && unit < 0xdc00:
			if low := escape(raw[at+6:]); low < 0xdc00 || 0xe000 <= low {
				return true
			}
			raw = raw[at+12:]
		case 0xdc00 <= unit && unit < 0xe000:
			return true
		default:
			raw = raw[at+6:]
		}
	}
}

// escape returns the code unit that s begins with as \uXXXX, or -1.
func escape(s string) int64 {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseInt(s[2:6], 16, 32)
	if err != nil {
		return -1
	}
	return unit
}
