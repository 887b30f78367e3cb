package donjon

import (
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
