package donjon

import (
	"encoding/json"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

// ParsePolicy reads a policy document, as [PolicySchema] describes it. The error
// of one that is refused is a [*ConfigError], which says where.
func ParsePolicy(document []byte) (*Policy, error) {
	text := abi.Text(document)
	p, status := abi.NewPolicy(text)
	err := accepted(status, func() ([]byte, int32) { return abi.PolicyDiagnose(text) })
	if err != nil {
		return nil, err
	}
	return newPolicy(p), nil
}

// DiagnosePolicy returns what is wrong with a policy document as a JSON object
// of "error", "path" and "message", or null if nothing is.
func DiagnosePolicy(document []byte) ([]byte, error) {
	text, status := abi.PolicyDiagnose(abi.Text(document))
	return text, failure(status)
}

// The policies that come with donjon.
const (
	PolicyDeepInsight    = "deepinsight"     // documents, ontologies, extractions and databases
	PolicySessionCluster = "session-cluster" // sessions, chunks, pipelines and statistics
)

// ShippedPolicy returns the policy of this name that comes with donjon.
func ShippedPolicy(name string) (*Policy, error) {
	document, status := abi.PolicyShipped(name)
	if err := failure(status); err != nil {
		return nil, err
	}
	return ParsePolicy(document)
}

// PolicySchema returns the JSON Schema of policy documents.
func PolicySchema() ([]byte, error) {
	schema, status := abi.PolicySchema()
	return schema, failure(status)
}

// ImportCasbin reads the policy of casbin's plain RBAC model, its lines of "p"
// and "g", and which roles it assigns to whom.
func ImportCasbin(csv []byte) (policy *Policy, assignments map[string][]string, err error) {
	text, err := ImportCasbinJSON(csv)
	if err != nil {
		return nil, nil, err
	}
	var imported struct {
		Policy      json.RawMessage     `json:"policy"`
		Assignments map[string][]string `json:"assignments"`
	}
	if err := json.Unmarshal(text, &imported); err != nil {
		return nil, nil, err
	}
	policy, err = ParsePolicy(imported.Policy)
	if err != nil {
		return nil, nil, err
	}
	return policy, imported.Assignments, nil
}

// ImportCasbinJSON is [ImportCasbin] as a JSON object of "policy", a document,
// and "assignments".
func ImportCasbinJSON(csv []byte) ([]byte, error) {
	text, status := abi.PolicyImportCasbin(abi.Text(csv))
	return text, failure(status)
}
