// Package redisstore keeps what is spent of limits in Redis or Valkey, so that any
// number of processes share them:
//
//	limiter := &donjon.Limiter{Store: redisstore.New(client, nil), OnFailure: donjon.FallBackTo(table)}
//
// Each decision is one script of the kernel's, run by the server as one atomic step
// on one key, in one round trip, whatever number of limits the key has. It is the
// arithmetic of [donjon.Limits.Spend], which has the last word on what the script
// did. Keys always have a time to live. On a cluster, each key is a slot of its own.
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
