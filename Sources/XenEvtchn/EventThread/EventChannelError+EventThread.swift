extension EventChannelError.Code {
    /// The deadline has passed.
    public static let timedOut = EventChannelError.Code(description: "timed out")
    /// The task that waited was cancelled.
    public static let cancelled = EventChannelError.Code(description: "cancelled")
    /// The event thread was stopped.
    public static let stopped = EventChannelError.Code(description: "stopped")
}
