package abi

// #include <donjon.h>
import "C"

// PermissionImplies is donjon_permission_implies.
func PermissionImplies(granted, required string) int32 {
	gp, gn := in(granted)
	rp, rn := in(required)
	return int32(C.donjon_permission_implies(gp, gn, rp, rn))
}
