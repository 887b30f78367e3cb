package donjon

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// handles are the exported types that own something, or are made of what does.
var handles = []reflect.Type{
	reflect.TypeFor[*Attempt](), reflect.TypeFor[*BlindIndex](), reflect.TypeFor[*CachedRecords](), reflect.TypeFor[*DataKey](),
	reflect.TypeFor[*Fernet](), reflect.TypeFor[*Hasher](), reflect.TypeFor[*Issuer](), reflect.TypeFor[*JWKSClient](),
	reflect.TypeFor[*Keyring](), reflect.TypeFor[*LimitTable](), reflect.TypeFor[*Limiter](), reflect.TypeFor[*Limits](),
	reflect.TypeFor[*Lockout](), reflect.TypeFor[*MemoryRecords](), reflect.TypeFor[*OfflineRevocations](), reflect.TypeFor[*Policy](),
	reflect.TypeFor[*Proxies](), reflect.TypeFor[*PurposeTokens](), reflect.TypeFor[*RevocationRules](),
	reflect.TypeFor[*RevocationSet](), reflect.TypeFor[*RevocationSetClient](), reflect.TypeFor[*Revocations](),
	reflect.TypeFor[*SealWriter](), reflect.TypeFor[*SealedReader](), reflect.TypeFor[*SealedReaderAt](), reflect.TypeFor[*Sealer](),
	reflect.TypeFor[*SessionManager](), reflect.TypeFor[*Sessions](), reflect.TypeFor[*Subject](), reflect.TypeFor[*Verifier](),
}

// values are the exported types with methods by pointer that are none of these.
var values = []string{
	"Claims", "ConfigError", "EncryptedBytes", "EncryptedJSON", "EncryptedString", "Error", "Explanation", "LimitError", "Result",
	"SessionError",
}

func TestEveryHandleIsInTheTable(t *testing.T) {
	known := slices.Clone(values)
	for _, handle := range handles {
		known = append(known, handle.Elem().Name())
	}
	slices.Sort(known)
	if declared := withMethodsByPointer(t); !slices.Equal(declared, known) {
		t.Errorf("declared: %v\nknown:    %v", declared, known)
	}
}

// withMethodsByPointer returns the exported types of this package that have exported
// methods by pointer.
func withMethodsByPointer(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			if method, is := declaration.(*ast.FuncDecl); is && method.Recv != nil && method.Name.IsExported() {
				if owner := byPointer(method.Recv.List[0].Type); ast.IsExported(owner) {
					found[owner] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// byPointer returns the type that a receiver points to, or "".
func byPointer(receiver ast.Expr) string {
	star, is := receiver.(*ast.StarExpr)
	if !is {
		return ""
	}
	pointed := star.X
	if generic, is := pointed.(*ast.IndexExpr); is {
		pointed = generic.X
	}
	name, _ := pointed.(*ast.Ident)
	return name.Name
}

func TestNilAndZeroHandlesAreClosed(t *testing.T) {
	// What is good without being made, and what looks at its arguments first.
	excused := []string{
		"Proxies.Client", "Proxies.ClientOf", "Issuer.RotateRefresh", "SessionManager.BeginAnonymous", "SessionManager.LogOutTokens",
	}
	ready := []string{"MemoryRecords.GetMany", "MemoryRecords.Replace"} // once it is not nil
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, handle := range handles {
		for i := range handle.NumMethod() {
			method := handle.Method(i)
			name := handle.Elem().Name() + "." + method.Name
			for of, receiver := range map[string]reflect.Value{"nil": reflect.Zero(handle), "zero": reflect.New(handle.Elem())} {
				err, fails := called(t, of+" "+name, receiver, method, file)
				switch {
				case !fails, slices.Contains(excused, name), of == "zero" && slices.Contains(ready, name):
				case method.Name == "Close" && name != "SealWriter.Close":
					if err != nil {
						t.Errorf("%s %s: %v", of, name, err)
					}
				case !errors.Is(err, ErrClosed):
					t.Errorf("%s %s: %v", of, name, err)
				}
			}
		}
	}
}

// called calls a method with arguments that have nothing wrong with them, and returns
// its error and whether it has one.
func called(t *testing.T, name string, receiver reflect.Value, method reflect.Method, file string) (err error, fails bool) {
	t.Helper()
	defer func() {
		if panicked := recover(); panicked != nil {
			t.Errorf("%s panics: %v", name, panicked)
			err, fails = nil, false
		}
	}()
	arguments := []reflect.Value{receiver}
	for i := 1; i < method.Type.NumIn(); i++ {
		if method.Type.IsVariadic() && i == method.Type.NumIn()-1 {
			arguments = append(arguments, harmless(t, method.Type.In(i).Elem(), file))
			continue
		}
		arguments = append(arguments, harmless(t, method.Type.In(i), file))
	}
	results := method.Func.Call(arguments)
	if len(results) == 0 {
		return nil, false
	}
	last := results[len(results)-1]
	if last.Type() != reflect.TypeFor[error]() {
		return nil, false
	}
	err, _ = last.Interface().(error)
	return err, true
}

// harmless is an argument of a type; a text is the path of a file.
func harmless(t *testing.T, of reflect.Type, file string) reflect.Value {
	t.Helper()
	request := httptest.NewRequest(http.MethodPost, "/", nil)
	for _, argument := range []any{
		t.Context(), time.Now(), time.Second, []byte("a"), file, []string{"a"}, [][]byte{[]byte("a")}, int64(1), ContextOf("a"),
		func() Context { return ContextOf("a") }, new(Claims), new(Issuer), &Limits{}, request, http.Header{"Cookie": {"a=b"}},
		map[string]string{"a": sealedPrefix}, NewSession{Subject: "a"}, Rotation{NoOverlap: true}, Charge{Limits: &Limits{}, Key: "a"},
		LogIn{Account: "a"}, OneSession, RevokedToken,
	} {
		if reflect.TypeOf(argument) == of {
			return reflect.ValueOf(argument)
		}
	}
	switch of {
	case reflect.TypeFor[context.Context]():
		return reflect.ValueOf(t.Context())
	case reflect.TypeFor[FamilyStore]():
		return reflect.ValueOf(noFamilies{})
	case reflect.TypeFor[io.Reader](), reflect.TypeFor[io.ReaderAt]():
		return reflect.ValueOf(strings.NewReader("a"))
	case reflect.TypeFor[io.Writer]():
		return reflect.ValueOf(io.Discard)
	default:
		return reflect.Zero(of)
	}
}

type noFamilies struct{}

func (noFamilies) Load(context.Context, string) ([]byte, error)               { return nil, nil }
func (noFamilies) Swap(context.Context, string, []byte, []byte) (bool, error) { return false, nil }
