"""What can go wrong in training a space, and in reading one."""

from __future__ import annotations

from melon.errors import InputError, MelonError


class NothingToTrain(InputError):
    """There is no playlist to learn from."""


class RepeatedPlaylist(InputError):
    """Two playlists have the same id."""


class EmptyVocabulary(InputError):
    """No token stands in enough playlists to be trained."""


class TrainingDiverged(MelonError):
    """Training produced vectors that are not numbers."""


class ForeignCatalogue(InputError):
    """A catalogue is not the one that a space was trained on."""


class SpaceBusy(MelonError):
    """Another process is updating the space, or has put another one there."""


class SpaceError(InputError):
    """A directory cannot be used as a space."""


class NotASpace(SpaceError):
    """There is no space at the path."""


class SpaceVersionMismatch(SpaceError):
    """The space was written by another version of melon."""


class DamagedSpace(SpaceError):
    """A file of the space is missing, cut short, or altered."""
