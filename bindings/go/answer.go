package donjon

import (
	"encoding/json"

	"github.com/donjon-security/donjon/bindings/go/internal/quote"
)

// decoded is an answer of the kernel, a JSON object, as a T, unless it failed.
func decoded[T any](text []byte, failed error) (*T, error) {
	if failed != nil {
		return nil, failed
	}
	answer := new(T)
	if err := json.Unmarshal(text, answer); err != nil {
		return nil, err
	}
	return answer, nil
}

// decodedList is an answer of the kernel, a JSON list, unless it failed.
func decodedList[T any](text []byte, failed error) ([]T, error) {
	list, err := decoded[[]T](text, failed)
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
