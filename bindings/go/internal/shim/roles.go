package shim

import (
	"encoding/json"
	"errors"

	"github.com/donjon-security/donjon/bindings/go"
)

func withPolicy(document []byte, use func(*donjon.Policy) error) error {
	policy, err := donjon.ParsePolicy(document)
	if err != nil {
		return err
	}
	defer policy.Close()
	return use(policy)
}

func permissionImplies(r *request) func(*answer) error {
	granted, required := r.text("granted"), r.text("required")
	return func(a *answer) error {
		implies, err := donjon.PermissionImplies(granted, required)
		if err != nil {
			return err
		}
		a.bool("implies", implies)
		return nil
	}
}

// subjectFields say who asks.
type subjectFields struct {
	policy []byte
	roles  []string
	opts   donjon.SubjectOptions
}

func readSubject(r *request) subjectFields {
	return subjectFields{
		policy: r.raw("policy"),
		roles:  r.texts("roles"),
		opts:   donjon.SubjectOptions{Tenant: r.optionalText("tenant"), Permissions: r.optionalTexts("token_permissions")},
	}
}

func (f subjectFields) with(use func(*donjon.Subject) error) error {
	return withPolicy(f.policy, func(policy *donjon.Policy) error {
		subject, err := policy.Subject(f.roles, f.opts)
		if err != nil {
			return err
		}
		defer subject.Close()
		return use(subject)
	})
}

// A question is what is asked of a subject.
type question struct {
	mode string
	donjon.Requirement
}

func readQuestion(r *request) question {
	q := question{r.text("mode"), donjon.Requirement{Permissions: r.texts("permissions"), Instance: r.optionalText("instance")}}
	switch q.mode {
	case "any":
		q.Any = true
	case "one", "all":
	default:
		r.bad()
	}
	return q
}

func (q question) decide(subject *donjon.Subject) (bool, error) {
	if q.mode == "one" {
		switch {
		case len(q.Permissions) != 1:
			return false, donjon.ErrInvalidArgument
		case q.Instance != "":
			return subject.HasInstance(q.Permissions[0], q.Instance), nil
		default:
			return subject.Has(q.Permissions[0]), nil
		}
	}
	err := subject.Check(q.Requirement)
	if errors.Is(err, donjon.ErrPermissionDenied) {
		return false, nil
	}
	return err == nil, err
}

func rbacCheck(r *request) func(*answer) error {
	fields, question := readSubject(r), readQuestion(r)
	return func(a *answer) error {
		return fields.with(func(subject *donjon.Subject) error {
			allowed, err := question.decide(subject)
			if err != nil {
				return err
			}
			explained, err := subject.Explain(question.Requirement)
			if err != nil {
				return err
			}
			a.bool("allowed", allowed)
			a.string("reason", string(explained.Reason))
			return nil
		})
	}
}

func rbacExplain(r *request) func(*answer) error {
	fields, question := readSubject(r), readQuestion(r)
	return func(a *answer) error {
		return fields.with(func(subject *donjon.Subject) error {
			return a.document("explanation")(subject.ExplainJSON(question.Requirement))
		})
	}
}

func whatCan(r *request) func(*answer) error {
	fields := readSubject(r)
	return func(a *answer) error {
		return fields.with(func(subject *donjon.Subject) error {
			permissions, err := subject.Permissions()
			if err != nil {
				return err
			}
			a.strings("permissions", permissions)
			return nil
		})
	}
}

func hasRole(r *request) func(*answer) error {
	fields, role := readSubject(r), r.text("role")
	return func(a *answer) error {
		return fields.with(func(subject *donjon.Subject) error {
			a.bool("has", subject.HasRole(role))
			return nil
		})
	}
}

func whoCan(r *request) func(*answer) error {
	document, permission := r.raw("policy"), r.text("permission")
	return func(a *answer) error {
		return withPolicy(document, func(policy *donjon.Policy) error {
			roles, err := policy.WhoCan(permission)
			if err != nil {
				return err
			}
			a.strings("roles", roles)
			return nil
		})
	}
}

func checkPermission(r *request) func(*answer) error {
	document, permission := r.raw("policy"), r.text("permission")
	return func(*answer) error {
		return withPolicy(document, func(policy *donjon.Policy) error { return policy.CheckPermission(permission) })
	}
}

func checkRole(r *request) func(*answer) error {
	document, role := r.raw("policy"), r.text("role")
	return func(*answer) error {
		return withPolicy(document, func(policy *donjon.Policy) error { return policy.CheckRole(role) })
	}
}

func policyAssign(r *request) func(*answer) error {
	document, held := r.raw("policy"), r.texts("roles")
	role, members := r.text("role"), r.int("members")
	if members < 0 {
		r.bad()
	}
	return func(*answer) error {
		return withPolicy(document, func(policy *donjon.Policy) error {
			return policy.CheckAssignment(held, role, uint64(members))
		})
	}
}

func (a *answer) policy(policy *donjon.Policy) error {
	document, err := policy.Document()
	if err != nil {
		return err
	}
	digest, err := policy.Digest()
	if err != nil {
		return err
	}
	a.string("document", string(document))
	a.hex("digest_hex", digest[:])
	return nil
}

func policyDocument(r *request) func(*answer) error {
	document := r.raw("policy")
	return func(a *answer) error { return withPolicy(document, a.policy) }
}

func policyShipped(r *request) func(*answer) error {
	name := r.text("name")
	return func(a *answer) error {
		policy, err := donjon.ShippedPolicy(name)
		if err != nil {
			return err
		}
		defer policy.Close()
		return a.policy(policy)
	}
}

func policyDiagnose(r *request) func(*answer) error {
	document := r.text("document")
	return func(a *answer) error {
		text, err := donjon.DiagnosePolicy([]byte(document))
		if err != nil {
			return err
		}
		var diagnosis *struct{ Error, Path, Message string }
		if err := json.Unmarshal(text, &diagnosis); err != nil {
			return err
		}
		if diagnosis == nil {
			a.string("status", "ok")
			a.raw("path", "null")
			a.raw("message", "null")
			return nil
		}
		a.string("status", diagnosis.Error)
		a.string("path", diagnosis.Path)
		a.string("message", diagnosis.Message)
		return nil
	}
}

func policyDiff(r *request) func(*answer) error {
	before, after := r.raw("before"), r.raw("after")
	return func(a *answer) error {
		return withPolicy(before, func(before *donjon.Policy) error {
			return withPolicy(after, func(after *donjon.Policy) error {
				return a.document("diff")(before.DiffJSON(after))
			})
		})
	}
}

func policyLint(r *request) func(*answer) error {
	document := r.raw("policy")
	return func(a *answer) error {
		return withPolicy(document, func(policy *donjon.Policy) error {
			found, err := policy.Lint()
			if err != nil {
				return err
			}
			places, messages := "", make([]string, len(found))
			for i, finding := range found {
				var place answer
				place.string("kind", finding.Kind)
				place.string("path", finding.Path)
				if i > 0 {
					places += ","
				}
				places += string(place.end())
				messages[i] = finding.Message
			}
			a.raw("findings", "["+places+"]")
			a.strings("messages", messages)
			return nil
		})
	}
}

var matrixFormats = map[string]donjon.MatrixFormat{
	"json":     donjon.MatrixJSON,
	"markdown": donjon.MatrixMarkdown,
	"html":     donjon.MatrixHTML,
}

func policyMatrix(r *request) func(*answer) error {
	document := r.raw("policy")
	format, ok := matrixFormats[r.text("format")]
	if !ok {
		r.bad()
	}
	return func(a *answer) error {
		return withPolicy(document, func(policy *donjon.Policy) error {
			matrix, err := policy.Matrix(format)
			if err != nil {
				return err
			}
			if format == donjon.MatrixJSON {
				a.raw("matrix", string(matrix))
			} else {
				a.string("matrix", string(matrix))
			}
			return nil
		})
	}
}

func casbinImport(r *request) func(*answer) error {
	csv := r.text("csv")
	return func(a *answer) error { return a.document("imported")(donjon.ImportCasbinJSON([]byte(csv))) }
}
