// Paths, permissions and errors are the client's vocabulary, so that one import is enough.
@_exported public import XenStoreWire
