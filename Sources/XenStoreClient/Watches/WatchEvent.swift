public import XenStoreWire

/// What a watch tells. A hint: read again what you care about.
public enum WatchEvent: Hashable, Sendable {
    /// This path was made, written, removed, or given other permissions. The first one comes right after the watch
    /// was set, and means only that.
    case changed(StorePath)
    /// Events came faster than they were taken, and some were dropped: anything at or below the path may have changed.
    case overflow
    /// The connection was lost, and the watch is set again in a new epoch: anything may have changed meanwhile.
    case lookAgain
}
