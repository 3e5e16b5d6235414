package signing

import "sync"

// lazyTrust is what Verify makes of a Trust on first use.
type lazyTrust struct {
	once sync.Once
}
