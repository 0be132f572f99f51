#if LibXen
    import CRing

    /// The same in C.
    enum FleetTwin {
        static func credit(active: Int, of count: Int) -> [Contender] {
            [
                contender("C (credit)", bar: .atMost(1.1), count) {
                    $0.carry(cring_credit, active, $1)
                }
            ]
        }

        static func scan(active: Int, of count: Int) -> [Contender] {
            [contender("C (full scan)", bar: nil, count) { $0.carry(cring_scan, active, $1) }]
        }

        static func silent(of count: Int) -> [Contender] {
            [
                contender("C (credit)", bar: .atMost(1.1), count) { $0.carrySilently($1) }
            ]
        }

        private static func contender(
            _ name: String, bar: Bar?, _ count: Int,
            _ carry: @escaping (_ fleet: borrowing CFleet, _ total: UInt64) -> UInt64
        ) -> Contender {
            Contender(name: name, bar: bar) { total in
                let fleet = try CFleet(count: count)
                let start = ContinuousClock.now
                let sum = carry(fleet, total)
                return Outcome(sum: sum, amount: start.duration(to: .now) / .nanoseconds(1))
            }
        }
    }

    @safe
    private struct CFleet: ~Copyable {
        // Invariant: made by `init`, destroyed when the value goes.
        private let fleet: OpaquePointer

        init(count: Int) throws {
            guard let fleet = unsafe cring_fleet_create(UInt32(count)) else { throw OutOfMemory() }
            unsafe self.fleet = unsafe fleet
        }

        func carry(_ search: cring_search, _ active: Int, _ total: UInt64) -> UInt64 {
            unsafe cring_fleet_carry(fleet, search, UInt32(active), total)
        }

        func carrySilently(_ total: UInt64) -> UInt64 {
            unsafe cring_fleet_carry_silently(fleet, total)
        }

        deinit { unsafe cring_fleet_destroy(fleet) }

        struct OutOfMemory: Error {}
    }
#else
    /// C's rings are not built in.
    enum FleetTwin {
        static func credit(active: Int, of count: Int) -> [Contender] { [] }
        static func scan(active: Int, of count: Int) -> [Contender] { [] }
        static func silent(of count: Int) -> [Contender] { [] }
    }
#endif
