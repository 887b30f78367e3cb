package quote

import (
	"encoding/json"
	"testing"
)

func TestAppendEscapesOnlyWhatJSONDemands(t *testing.T) {
	for in, want := range map[string]string{
		"":                "\"\"",
		"plain":           `"plain"`,
		`a"b\c`:           `"a\"b\\c"`,
		"\b\f\n\r\t":      `"\b\f\n\r\t"`,
		"\x00\x1f\x7f":    "\"\\u0000\\u001f\x7f\"",
		"<é\u2028&>":      "\"<é\u2028&>\"",
		"not \xff utf-8.": "\"not \xff utf-8.\"",
	} {
		if got := string(Append(nil, in)); got != want {
			t.Errorf("Append(%q) = %s, want %s", in, got, want)
		}
	}
}

func FuzzAppendIsReadBack(f *testing.F) {
	f.Add("a\x00\"\\\u2028")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(Append(nil, s), &got); err != nil {
			t.Fatal(err)
		}
		// encoding/json replaces what is not UTF-8, one byte at a time.
		if want := string([]rune(s)); got != want {
			t.Errorf("read back %q, want %q", got, want)
		}
	})
}
