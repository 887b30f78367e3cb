package donjon

import (
	"encoding/json"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// A PolicyError says where a policy document was refused. It is [ErrConfig],
// [ErrMalformed] or [ErrTooLarge].
type PolicyError struct {
	Path    string // such as "roles.editor.allow[0]"; empty if it has no place
	Message string

	reason error
}

// Error returns the place and what is wrong there, in the document's own words:
// for whoever writes the policy.
func (e *PolicyError) Error() string {
	text := "donjon: policy: "
	if e.Path != "" {
		text += e.Path + ": "
	}
	return text + e.Message
}

// Unwrap returns the [*Error].
func (e *PolicyError) Unwrap() error { return e.reason }

// DiagnosePolicy returns what is wrong with a policy document as a JSON object
// of "error", "path" and "message", or null if nothing is.
func DiagnosePolicy(document []byte) ([]byte, error) {
	text, status := abi.PolicyDiagnose(abi.Text(document))
	return text, failure(status)
}

// diagnosed is the reason for which a document was refused, with its place.
func diagnosed(document string, reason error) error {
	text, status := abi.PolicyDiagnose(document)
	diagnosis := &PolicyError{reason: reason}
	if status != abi.StatusOK || json.Unmarshal(text, diagnosis) != nil || diagnosis.Message == "" {
		return reason
	}
	return diagnosis
}
