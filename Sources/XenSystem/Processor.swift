import CSystem

/// What a thread that spins has to know of the processors.
package enum Processor {
    /// Those that the calling thread may run on; 1 if that cannot be told.
    package static var availableCount: Int { Int(csystem_processor_count()) }

    /// Tells the processor that this thread waits in a loop for another one's write.
    package static func pause() { csystem_pause() }

    /// A number that no other living thread of this process has; never zero.
    package static var currentThread: UInt { csystem_current_thread() }
}
