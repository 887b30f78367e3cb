package donjon

import (
	"log/slog"
	"testing"

	"github.com/donjon-security/donjon/bindings/go/internal/abi"
)

func TestReasonsAreThoseOfTheHeader(t *testing.T) {
	if len(abi.SessionReasons) != len(sessionReasons) {
		t.Fatal("not as many")
	}
	for i, number := range abi.SessionReasons {
		if int(number) != i {
			t.Errorf("%s is %d", SessionReason(i), number)
		}
	}
	if name := SessionReason(200).String(); name != "unknown reason" {
		t.Error(name)
	}
	for number, name := range map[uint8]string{
		abi.MarkerMissing: "missing", abi.MarkerDamaged: "damaged", abi.MarkerRolledBack: "rolled back", abi.MarkerSilent: "silent", 200: "unknown",
	} {
		if got := markerReason(number); got != name {
			t.Errorf("%d is %s", number, got)
		}
	}
}

func TestAnErrorThatNobodyMadeHasATextAllTheSame(t *testing.T) {
	for _, err := range []interface {
		error
		slog.LogValuer
	}{new(SessionError), new(ConfigError), new(Error)} {
		if err.Error() == "" || err.LogValue().Kind() != slog.KindGroup {
			t.Errorf("%T: %v, %v", err, err, err.LogValue())
		}
	}
}
