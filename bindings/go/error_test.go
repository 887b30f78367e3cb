package donjon_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/donjon-security/donjon/bindings/go"
)

var sentinels = []error{
	donjon.ErrInvalidArgument, donjon.ErrOutOfMemory, donjon.ErrInternal, donjon.ErrEntropyUnavailable,
	donjon.ErrConfig, donjon.ErrMalformed, donjon.ErrTooLarge, donjon.ErrUnsupported,
	donjon.ErrUnknownKey, donjon.ErrKeyDisabled, donjon.ErrKeyDestroyed, donjon.ErrKeyExpired,
	donjon.ErrAlgNotAllowed, donjon.ErrBadSignature, donjon.ErrUnsupportedCritical, donjon.ErrBadClaimType,
	donjon.ErrMissingClaim, donjon.ErrExpired, donjon.ErrNotYetValid, donjon.ErrInvalidIssuer,
	donjon.ErrInvalidAudience, donjon.ErrWrongTokenType, donjon.ErrReuseDetected, donjon.ErrStateStale,
	donjon.ErrRevoked, donjon.ErrInvalid,
	donjon.ErrPasswordMismatch, donjon.ErrInvalidHash, donjon.ErrParamsOutOfBounds, donjon.ErrBusy,
	donjon.ErrPermissionDenied, donjon.ErrUnknownPermission, donjon.ErrUnknownRole,
	donjon.ErrSeparationOfDuty, donjon.ErrCardinalityExceeded,
	donjon.ErrDecryptFailed,
	donjon.ErrRateLimited, donjon.ErrStoreUnavailable,
	donjon.ErrInvalidSession, donjon.ErrStepUpRequired, donjon.ErrSessionLimit,
	donjon.ErrCSRFFailed, donjon.ErrCrossSite, donjon.ErrRevocationSetStale,
}

// The header is the pinned table: every status in it has a sentinel here whose
// code has the same name, and there is no other.
func TestCodesAreThoseOfTheHeader(t *testing.T) {
	header, err := os.ReadFile("../../include/donjon.h")
	ok(t, err)
	codes := map[donjon.Code]error{donjon.CodeBufferTooSmall: nil}
	for _, err := range sentinels {
		codes[err.(*donjon.Error).Code] = err
	}
	seen := 0
	for _, m := range regexp.MustCompile(`DONJON_([A-Z_]+)(?: =)? (\d+)`).FindAllStringSubmatch(string(header), -1) {
		number, err := strconv.Atoi(m[2])
		ok(t, err)
		code := donjon.Code(number)
		if code.String() != strings.ToLower(m[1]) {
			continue // another enumeration, or success
		}
		if number == 0 {
			continue
		}
		if _, known := codes[code]; !known {
			t.Errorf("%s has no code here", m[0])
		}
		seen++
	}
	equal(t, "number of codes", seen, len(codes))
}

func TestErrorsCompareByCode(t *testing.T) {
	for _, sentinel := range sentinels {
		code := sentinel.(*donjon.Error).Code
		wrapped := fmt.Errorf("checking: %w", &donjon.Error{Code: code})
		for _, other := range sentinels {
			if errors.Is(wrapped, other) != (other == sentinel) {
				t.Errorf("%v is %v", wrapped, other)
			}
		}
		var kernel *donjon.Error
		if !errors.As(wrapped, &kernel) || kernel.Code != code {
			t.Errorf("%v is no *Error", wrapped)
		}
	}
}

func TestClientsAreToldNothing(t *testing.T) {
	for _, err := range sentinels {
		kernel := err.(*donjon.Error)
		equal(t, kernel.Code.String(), kernel.Public(), http.StatusText(kernel.HTTPStatus()))
		if kernel.Public() == "" || kernel.Code.String() == "unknown_status" {
			t.Errorf("code %d is unknown to the kernel", kernel.Code)
		}
	}
	equal(t, "expired", donjon.ErrExpired.(*donjon.Error).HTTPStatus(), http.StatusUnauthorized)
	equal(t, "config_error", donjon.ErrConfig.(*donjon.Error).HTTPStatus(), http.StatusInternalServerError)
}

func TestLogHasTheCodeApart(t *testing.T) {
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	logger.Info("refused", "reason", donjon.ErrExpired)
	if !strings.Contains(log.String(), ` reason.code=expired reason.message="the token has expired"`) {
		t.Errorf("logged %s", log.String())
	}
}
