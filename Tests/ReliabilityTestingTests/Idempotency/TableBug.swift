// This source file is part of the swift-reliability project.
// Copyright (c) 2026 the swift-reliability authors
// Licensed under the Apache License, Version 2.0; see LICENSE.
// SPDX-License-Identifier: Apache-2.0

/// What may be wrong with a table.
enum TableBug: String, CaseIterable, Sendable, CustomStringConvertible {
    case claimsKeepNoHolder, claimsLookAndWriteApart, refusedClaimsCount, unknownKeysAreFree
    case takeOversChangeTheFingerprint, takeOversCompareAttempts, takeOversDoNotCompare, takeOversForgetTheCheckpoint
    case takeOversForgetTheSettlement, takeOversKeepTheFence, takeOversKeepTheLease
    case extendsGiveANewFence, fencesCountPerRow, settlementsLookAndWriteApart, settlesTwice, staleCallsAreToldNothing
    case staleCallsAreToldWhatWas, staleCheckpointsAreTaken, staleCompletionsAreTaken, staleExtendsAreTaken,
        staleReleasesAreTaken,
        staleUnknownsAreTaken
    case aLeaseOutlivesTheCompletion, extendsAddToTheEnd, lateOwnersAreRefused, leasesDoNotHold, leasesEndLate
    case checkpointsAreEverybodys, checkpointsKeepTheFence, checkpointsLeaveTheLease, theFirstCheckpointStays
    case unknownOutcomesLoseTheCheckpoint
    case emptyValuesAreNull, failuresAreValues, laterFingerprintsAreNone, longValuesAreCut, reasonsAreForgotten
    case settlementsKeepTheHolder, sizesAreSmall, unknownOutcomesShowNoFence, valuesAreText
    case expiredRowsAreSettled, expiredRowsLeaveTraces, keysInProgressExpire, purgesTakeAll, purgesTakeUnknownKeys
    case purgesTakeWhatIsCompleted, purgesTakeWhatIsOld, retentionCountsFromTheLease, retentionEndsLate
    case unknownKeysExpire
    case listingsCompareCharacters, listingsGoOnByCount, listingsHaveOtherOperations, listingsHaveWhatIsInProgress
    case listingsLeaveOutWhatLapsed
    case keysAreCut, keysAreNormalised, keysHaveNoCase, keysLoseSpaces, partsAreJoinedBySlashes, partsRunTogether
    case tenantsShareKeys
    case cancelledCallsAreDropped
    case reopeningCountsFencesAnew, reopeningLosesCheckpoints, settlementsAreAnsweredBeforeTheyAreSynced

    /// The check that has to find it.
    var check: String {
        switch self {
        case .claimsKeepNoHolder: "a free key is acquired by its first claim"
        case .claimsLookAndWriteApart: "of fifty claims of a free key at once one gets it"
        case .refusedClaimsCount: "a claim of a key in progress is told so and changes nothing"
        case .unknownKeysAreFree: "a claim of an unknown key that names no execution is told so and changes nothing"
        case .takeOversChangeTheFingerprint: "the fingerprint of the first claim is kept over take-overs"
        case .takeOversCompareAttempts, .takeOversDoNotCompare:
            "a claim that names another execution than the one that stands gets nothing"
        case .takeOversForgetTheCheckpoint, .unknownOutcomesLoseTheCheckpoint:
            "a checkpoint is there for those who take over, also from one that was left unknown"
        case .takeOversForgetTheSettlement: "a checkpoint that is in shows the fence that it named"
        case .takeOversKeepTheFence: "an execution that is open shows nobody's settlement under its fence"
        case .takeOversKeepTheLease: "a take-over starts a lease of its own"
        case .extendsGiveANewFence: "an extend keeps the fence, so that renewals go beside the owner's calls"
        case .fencesCountPerRow:
            "the fences of a key grow over release, expiry, purge, take-over and checkpoint"
        case .settlementsLookAndWriteApart, .settlesTwice:
            "of fifty settlements of an execution at once one is in"
        case .staleCallsAreToldNothing, .staleCallsAreToldWhatWas, .staleCompletionsAreTaken:
            "a call to complete under a stale fence changes nothing and is told what stands"
        case .staleCheckpointsAreTaken:
            "a call to checkpoint under a stale fence changes nothing and is told what stands"
        case .staleExtendsAreTaken: "a call to extend under a stale fence changes nothing and is told what stands"
        case .staleReleasesAreTaken: "a call to release under a stale fence changes nothing and is told what stands"
        case .staleUnknownsAreTaken:
            "a call to mark unknown under a stale fence changes nothing and is told what stands"
        case .aLeaseOutlivesTheCompletion: "completion, release and an unknown outcome end the lease"
        case .extendsAddToTheEnd: "an extend moves the end of the lease to so long from now, to earlier too"
        case .lateOwnersAreRefused: "a call to complete is taken long after the lease, while nobody else has the key"
        case .leasesDoNotHold: "a claim that names one that is still in progress gets nothing"
        case .leasesEndLate:
            "an execution is in progress to the last nanosecond of its lease, and unknown from its end"
        case .checkpointsAreEverybodys: "a checkpoint of one execution shows in no other's"
        case .checkpointsKeepTheFence: "the checkpoint of an execution is not taken for its settlement"
        case .checkpointsLeaveTheLease: "a checkpoint moves the end of the lease to so long from now"
        case .theFirstCheckpointStays:
            "a checkpoint takes the place of the one before, and tells the execution as it is then"
        case .emptyValuesAreNull, .longValuesAreCut, .valuesAreText: "a value is replayed byte by byte"
        case .failuresAreValues: "a kept failure is replayed as one, byte by byte"
        case .laterFingerprintsAreNone: "fingerprints of every form come back as they were"
        case .reasonsAreForgotten: "each reason of an unknown outcome is kept"
        case .settlementsKeepTheHolder: "a completion that is in shows the fence that it named, and no holder"
        case .sizesAreSmall: "an outcome that was too large to be kept is told with its size"
        case .unknownOutcomesShowNoFence:
            "an unknown outcome that is in shows the fence that it named, also once it is taken over"
        case .expiredRowsAreSettled: "an expired key is as absent before a purge as after it"
        case .expiredRowsLeaveTraces: "a key that is claimed after its outcome has expired knows nothing of before"
        case .keysInProgressExpire: "keys in progress never expire"
        case .purgesTakeAll, .purgesTakeUnknownKeys, .purgesTakeWhatIsCompleted, .purgesTakeWhatIsOld:
            "a purge takes at most its limit and nothing but what has expired"
        case .retentionCountsFromTheLease: "retention counts from the completion"
        case .retentionEndsLate:
            "a completed key stands to the last nanosecond of its retention and is absent after it"
        case .unknownKeysExpire: "unknown keys never expire, also those that were left so after a checkpoint"
        case .listingsCompareCharacters, .listingsHaveOtherOperations:
            "a listing has the keys of one operation, of all tenants"
        case .listingsGoOnByCount: "keys that are settled between two pages hide no others"
        case .listingsHaveWhatIsInProgress, .listingsLeaveOutWhatLapsed:
            "a listing has the keys left unknown and those whose lease has passed, and no other"
        case .keysAreCut: "parts of 255 bytes are kept whole"
        case .keysAreNormalised: "keys are told apart by their bytes, not by what they look like"
        case .keysHaveNoCase: "keys are told apart by case"
        case .keysLoseSpaces: "what a query language could take for something else is part of the key"
        case .partsAreJoinedBySlashes, .partsRunTogether: "the parts of keys are not run together"
        case .tenantsShareKeys: "the same key of other tenants and operations is another one"
        case .cancelledCallsAreDropped: "a cancelled task's operations are carried out and answered"
        case .reopeningCountsFencesAnew: "a fence from before a reopening is never given again"
        case .reopeningLosesCheckpoints: "completed and unknown keys and checkpoints stand after a reopening"
        case .settlementsAreAnsweredBeforeTheyAreSynced: "what the last answer before a crash said stands after it"
        }
    }

    /// The case's name in words, and the check.
    var description: String {
        "\(rawValue.reduce(into: "") { $0 += $1.isUppercase ? " \($1.lowercased())" : String($1) }): \(check)"
    }
}
