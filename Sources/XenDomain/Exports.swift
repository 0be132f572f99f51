// The vocabulary of every call: one import is enough.
@_exported public import XenCore
