package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/donjon-security/donjon/bindings/go"
)

// required are the permissions of the routes, which every policy has to know.
var required = []string{"document:read:{id}", "document:update:{id}", "document:delete:{id}", "policy:read"}

// policies is the policy in force, which both services read from one file.
type policies struct {
	file    string
	current atomic.Pointer[donjon.Policy]
}

func newPolicies(file string) (*policies, error) {
	p := &policies{file: file}
	policy, err := p.read()
	if err != nil {
		return nil, err
	}
	p.current.Store(policy)
	return p, nil
}

// replace reads the policy again. A bad one changes nothing; a good one decides
// from now on, and requests that have begun end by the old one. It returns what
// changes.
func (p *policies) replace() (changes string, err error) {
	policy, err := p.read()
	if err != nil {
		return "", err
	}
	diff, err := p.current.Load().DiffJSON(policy)
	if err != nil {
		return "", err
	}
	p.current.Store(policy) // the old one is released once no request uses it
	return string(diff), nil
}

func (p *policies) read() (*donjon.Policy, error) {
	document, err := os.ReadFile(p.file)
	if err != nil {
		return nil, err
	}
	policy, err := donjon.ParsePolicy(document)
	if err != nil {
		return nil, err
	}
	for _, permission := range required {
		if err := policy.CheckPermission(permission); err != nil {
			return nil, fmt.Errorf("%s: %w", permission, err)
		}
	}
	return policy, nil
}

// digest says in 64 characters which policy is in force.
func (p *policies) digest() string {
	digest, err := p.current.Load().Digest()
	if err != nil {
		return ""
	}
	return hex.EncodeToString(digest[:])
}
