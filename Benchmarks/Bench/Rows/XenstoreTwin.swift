#if LibXen
    import CRing
    import XenCore

    /// C that moves a message chunk by chunk and notifies for each, at both ends, as xenstored does.
    enum XenstoreTwin {
        static var notifications: [Contender] {
            [
                contender(bar: nil) { memory, total in
                    var notifications: UInt64 = 0
                    let sum = unsafe cring_xenstore_round_trips(
                        memory.baseAddress, total, &notifications)
                    return Outcome(sum: sum, amount: Double(notifications))
                }
            ]
        }

        static var roundTrips: [Contender] {
            [
                contender(bar: .atMost(1)) { memory, total in
                    var notifications: UInt64 = 0
                    return Outcome(
                        sum: unsafe cring_xenstore_round_trips(
                            memory.baseAddress, total, &notifications))
                }
            ]
        }

        static var stream: [Contender] {
            [
                contender(bar: .atMost(1)) { memory, total in
                    Outcome(sum: unsafe cring_xenstore_stream(memory.baseAddress, total))
                }
            ]
        }

        private static func contender(
            bar: Bar?, _ carry: @escaping (SharedMemory, UInt64) -> Outcome
        ) -> Contender {
            Contender(name: "C, by chunks", bar: bar) { total in
                withRingMemory { carry($0, total) }
            }
        }
    }
#else
    /// C's rings are not built in.
    enum XenstoreTwin {
        static var notifications: [Contender] { [] }
        static var roundTrips: [Contender] { [] }
        static var stream: [Contender] { [] }
    }
#endif
