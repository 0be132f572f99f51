// A ring lies in shared memory: one import is enough.
@_exported public import XenCore
