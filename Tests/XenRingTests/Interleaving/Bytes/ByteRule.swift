/// A rule that is taken out of a byte ring's end, to see that the explorer misses it.
enum ByteRule {
    /// The writer's bytes become visible before its index: without the release of `publishProducer`.
    case releaseOfBytes
    /// The reader loads bytes before it looks at the writer's index: without the acquire of `observeProducer`.
    case acquireOfBytes
    /// The reader's loads happen after its index was stored: without the release of `publishConsumer`.
    case releaseOfRoom
    /// The writer stores bytes before it looks at the reader's index: without the acquire of `observeConsumer`.
    case acquireOfRoom
    /// The writer's look is made after its index was stored: without the fence of `publishProducer`.
    case writersFence
    /// The reader's look is made after its index was stored: without the fence of `publishConsumer`.
    case readersFence
    /// The writer looks at the reader's index after it has published.
    case writersFinalLook
    /// The reader looks at the writer's index after it has given room back.
    case readersFinalLook
    /// The reader is notified of bytes.
    case notificationOfBytes
    /// The writer is notified of room.
    case notificationOfRoom
    /// The writer looks at the ring after it has unmasked its port, not before.
    case writersLookAfterUnmask
    /// The same for the reader.
    case readersLookAfterUnmask
}

/// How a direction may come to its end.
enum Ending: CaseIterable {
    /// It never does: at last both ends sleep.
    case never
    /// The writer ends it after its last byte.
    case byWriter
    /// The reader ends it after some byte.
    case byReader
    /// The writer is gone at any moment.
    case writerCrashes
    /// The reader is.
    case readerCrashes
}

/// A rule about endings that is taken out.
enum EndingRule {
    /// The reader looks for bytes after it saw that the writer has ended.
    case lookAfterEnd
    /// The reader is notified of the end.
    case notificationOfEnd
    /// The reader looks for bytes after it learnt that the writer is gone.
    case lookAfterCrash
}
