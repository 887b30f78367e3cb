package donjon

import (
	"encoding/json"

	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// decoded is an answer of the kernel, a JSON object, as a T.
func decoded[T any](text []byte, status int32) (*T, error) {
	if err := failure(status); err != nil {
		return nil, err
	}
	answer := new(T)
	if err := json.Unmarshal(text, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// decodedList is an answer of the kernel, a JSON list.
func decodedList[T any](text []byte, status int32) ([]T, error) {
	list, err := decoded[[]T](text, status)
	if err != nil {
		return nil, err
	}
	return *list, nil
}

// optionalList is a JSON list, or no text at all if nothing is on it.
func optionalList(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return string(quote.AppendAll(nil, texts))
}
