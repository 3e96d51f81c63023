// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// An error that knows that nothing it stands for took effect.
///
/// Everything that must decide between "run it again" and "we do not know" asks for this: an error that does not
/// conform leaves the outcome open, because a request can fail after it reached the other side. Conform your own error
/// to it only if its *every* value proves that the operation changed nothing.
///
/// The proof is about the step that threw it. Do not let it out of a closure that has taken another effect before, for
/// whoever runs the closure takes it for a proof about the whole.
public protocol NotApplied: Error {}

/// Nothing took effect, and trying again cannot help: the request itself is at fault, or asks for more than there can
/// be.
///
/// A retry of this package stops at such an error.
public protocol Permanent: NotApplied {}

/// An error that may say when trying again makes sense.
///
/// Map an answer such as 429 or 503 with `Retry-After` to an error that conforms, and every retry of this package waits
/// at least that long. It says nothing of whether the operation took effect; ``Rejection`` does.
public protocol RetryAdvising: Error {
    /// How long to wait, from now, before another try can succeed; `nil` where that is not known.
    var retryAfter: Duration? { get }
}

/// *The operation did not run*: a limiter, a breaker or another guard of this package refused it.
///
/// A rejection that comes from an inner layer is neutral to an outer circuit breaker, gives back the permits of an
/// outer limiter, and its ``RetryAdvising/retryAfter`` is the least delay of an outer retry.
public protocol Rejection: RetryAdvising, NotApplied {}

/// *The operation did not run*, and no wait can help: what a guard of this package refuses for good.
///
/// It is no ``Rejection``, so that whoever waits and tries again does not do so for ever. Like one it is no answer of the
/// other side, which was not asked.
package protocol PermanentRefusal: Permanent {}

extension Error {
    /// Whether a guard threw it before the operation, be it for now or for good.
    package var isRefusal: Bool { self is any Rejection || self is any PermanentRefusal }
}
