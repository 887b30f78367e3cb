package shim

import (
	"strings"
	"testing"
)

func TestLinesAreAnsweredByteForByte(t *testing.T) {
	const bad = `{"id":null,"ok":false,"error":"bad_request"}`
	for line, want := range map[string]string{
		"":                          bad,
		"null":                      bad,
		"[]":                        bad,
		`{} {}`:                     bad,
		"{\"op\":\"\xff\"}":         bad,
		`{"id":NaN}`:                bad,
		`{"id":1,"\ud800":2}`:       bad,
		`{"id":1,}`:                 bad,
		`{}`:                        bad,
		`{"id":1}`:                  `{"id":1,"ok":false,"error":"bad_request"}`,
		`{"id":1.50e0,"op":2}`:      `{"id":1.50e0,"ok":false,"error":"bad_request"}`,
		`{"op":"x","id":"\u00e9<"}`: `{"id":"\u00e9<","ok":false,"error":"unsupported_op"}`,
		`{"id":1,"id":[2, 3],"op":"a","op":"signature_verify"}`:                  `{"id":[2, 3],"ok":false,"error":"unsupported_op"}`,
		`{"id":1,"op":"jwks_parse","jwks":{"keys":[]}}`:                          `{"id":1,"ok":true,"keys":[]}`,
		`{"id":1,"op":"jwks_parse"}`:                                             `{"id":1,"ok":false,"error":"bad_request"}`,
		`{"id":1,"op":"jwks_parse","jwks":{"keys":[],"keys":[]}}`:                `{"id":1,"ok":false,"error":"config_error"}`,
		`{"id":1,"op":"jws_verify","keys":{"keys":[]},"jws":"\ud800"}`:           `{"id":1,"ok":false,"error":"bad_request"}`,
		`{"id":1,"op":"jws_verify","keys":{"keys":[]},"jws":"a.b.c"}`:            `{"id":1,"ok":false,"error":"config_error"}`,
		`{"id":1,"op":"token_verify","keys":{"keys":[]},"token":"","now_s":0}`:   `{"id":1,"ok":false,"error":"config_error"}`,
		`{"id":1,"op":"token_verify","keys":{"keys":[]},"token":"","now_s":1.0}`: `{"id":1,"ok":false,"error":"bad_request"}`,
	} {
		if got := string(Dispatch([]byte(line))); got != want {
			t.Errorf("%s\n got %s\nwant %s", line, got, want)
		}
	}
}

func TestHalfCharactersAreFound(t *testing.T) {
	for raw, want := range map[string]bool{
		`"a"`:                  false,
		`"\ud83d\ude00"`:       false,
		`"\uD83D\uDE00x"`:      false,
		`"\ud83d"`:             true,
		`"\ud83dx"`:            true,
		`"\ud83d\n"`:           true,
		`"\ud83d\ud83d\ude00"`: true,
		`"\ude00"`:             true,
		`"\\ud83d"`:            false,
		`"\\\ud83d"`:           true,
		`"\u0041\"\/"`:         false,
	} {
		if got := hasLoneSurrogate(raw); got != want {
			t.Errorf("%s: %v", raw, got)
		}
	}
}

func FuzzDispatch(f *testing.F) {
	f.Add([]byte(`{"id":1,"op":"jwks_refresh","state_hex":null,"event":"periodic","now_ms":0,"cooldown_ms":1,"max_age_ms":1}`))
	f.Add([]byte(`{"id":1,"op":"refresh_rotate","state_hex":"","family":"","generation":0,"now_ms":0,"grace_ms":0}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		if answer := string(Dispatch(line)); !strings.HasPrefix(answer, `{"id":`) {
			t.Errorf("answered %s", answer)
		}
	})
}
