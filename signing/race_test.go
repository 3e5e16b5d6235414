//go:build race

package signing_test

// flipStride thins out the bit flips under the race detector, which makes them ten times slower and finds nothing more in them.
const flipStride = 7
