// Package redisstore keeps what is spent of limits, sessions and revocations in Redis or
// Valkey, so that any number of processes share them:
//
//	limiter := &donjon.Limiter{Store: redisstore.New(client, nil), OnFailure: donjon.FallBackTo(table)}
//	sessions, err := donjon.NewSessionManager(keys, redisstore.NewRecords(client, nil), donjon.SessionManagerOptions{})
//
// # Limits
//
// Each decision is one script of the kernel's, run by the server as one atomic step
// on one key, in one round trip, whatever number of limits the key has. It is the
// arithmetic of [donjon.Limits.Spend], which has the last word on what the script
// did. Keys always have a time to live. On a cluster, each key is a slot of its own.
//
// # Sessions and revocations
//
// A session is checked by one MGET; on a cluster, by one round trip to each of two nodes
// at most. Changes are the kernel's compare-and-set script. All keys of a user are in one
// slot. Services in other languages share the records, if they share the prefix and the
// keyring.
//
// A server that has lost everything, or was set back to an older copy, is noticed by a
// marker that all who ask it look at: then all sessions and tokens from before are
// refused. On a cluster, that is so of the node that has the marker; of another one that
// starts empty, sessions are lost, and so is what was revoked of tokens that have not
// expired: give its nodes replicas or an append-only file. A fail-over loses what the
// new primary has not heard of, unless [RecordsOptions.WaitReplicas] waits for it. What
// a replica answers is refused. A ring, which asks another server when one is down,
// would accept what was revoked there; [NewRecords] takes none.
//
// # The client
//
// A deadline of the context is kept whatever the client's options are. With
// ContextTimeoutEnabled in them it costs a goroutine less. A client that sends a
// command again when its answer got lost (MaxRetries, 3 by default) may spend twice,
// and never too little.
//
// # The server
//
// What was spent survives the server as its persistence has it: a server that
// restarts empty has forgotten it. So has one that evicts keys when its memory is
// full; with maxmemory-policy noeviction it fails instead, which is what
// [donjon.Limiter.OnFailure] is about.
package redisstore
