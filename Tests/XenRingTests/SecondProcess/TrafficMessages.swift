#if LibXen
    import CRing
    import XenRing
    import XenTesting

    // C says what the bytes of a message are, for both processes.

    extension NumberedMessage {
        init(traffic number: UInt32, seed: UInt64) {
            self.init(0)
            // Safe: C fills as many bytes as the value has.
            unsafe withUnsafeMutableBytes(of: &self) { bytes in
                unsafe cring_fill(bytes.baseAddress, bytes.count, seed, number)
            }
        }

        func trafficNumber(seed: UInt64) -> Int? {
            let number = unsafe withUnsafeBytes(of: self) { bytes in
                unsafe cring_number(bytes.baseAddress, bytes.count, seed)
            }
            return number >= 0 ? Int(number) : nil
        }

        var trafficSum: UInt64 {
            unsafe withUnsafeBytes(of: self) { unsafe cring_sum($0.baseAddress, $0.count) }
        }
    }

    extension Wide: TrafficMessage {}
    extension Narrow: TrafficMessage {}

    extension TrafficPlan {
        init(_ orders: cring_orders) {
            self.init(
                total: Int(orders.total), batch: Int(orders.batch), seed: orders.seed,
                start: RingIndex(orders.start))
        }
    }
#endif
