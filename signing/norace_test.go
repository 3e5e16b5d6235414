//go:build !race

package signing_test

// flipStride: every single bit.
const flipStride = 1
