// Package warc reads WARC files (ISO 28500) by other crawlers, and imports what they
// hold of the mirrors' posts.
package warc
