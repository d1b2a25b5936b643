//! Arranging panes: sizes, zoom, presets, trading places, moving between windows.

use crate::change::{Change, OptionScope};
use crate::geometry::{Extent, Size, SplitDirection};
use crate::ids::{PaneId, WindowId};
use crate::layout::{Layout, LayoutError, Preset, PresetOptions};

use super::draft::Draft;
use super::pane::unzoom;
use super::{
    BreakPane, CommandError, JoinPane, LayoutChoice, MoveWindow, PaneResize, SwapPane, name, pane,
    window,
};

/// Stands for a pane on its way within a window; no pane ever has this number.
const IN_TRANSIT: PaneId = PaneId(u32::MAX);

pub(super) fn resize_pane(
    draft: &mut Draft<'_>,
    id: PaneId,
    resize: PaneResize,
) -> Result<(), CommandError> {
    let owner = draft.window_of(id)?;
    let window = owner.id;
    let old = &owner.layout;
    let size = old.size();
    let layout = match resize {
        PaneResize::ToggleZoom => return toggle_zoom(draft, id, window),
        PaneResize::Toward(direction, amount) => old.resize_pane(id, direction, amount),
        PaneResize::To { cols, rows } => {
            let cols = cols.map(|cols| (SplitDirection::Horizontal, cols.of(size.cols)));
            let rows = rows.map(|rows| (SplitDirection::Vertical, rows.of(size.rows)));
            [cols, rows].into_iter().flatten().try_fold(old.clone(), |layout, (along, extent)| {
                layout.resize_pane_to(id, along, extent)
            })
        }
    };
    let layout = layout.map_err(|_| CommandError::NoPane(id))?;
    unzoom(draft, window)?;
    set_layout(draft, window, layout, None)
}

/// Gives a window a size of its own.
pub(super) fn resize_window(
    draft: &mut Draft<'_>,
    id: WindowId,
    size: Size,
) -> Result<(), CommandError> {
    let layout = draft.window(id)?.layout.resize(size.clamped());
    let scope = OptionScope::Window(id);
    let (name, manual) = ("window-size".to_owned(), "manual".to_owned());
    if draft.state().options_at(scope).and_then(|set| set.get(&name)) != Some(&manual) {
        draft.push(Change::OptionSet { scope, name, value: Some(manual) });
    }
    set_layout(draft, id, layout, None)
}

fn toggle_zoom(draft: &mut Draft<'_>, id: PaneId, window: WindowId) -> Result<(), CommandError> {
    if unzoom(draft, window)? || draft.window(window)?.layout.pane_count() == 1 {
        return Ok(());
    }
    pane::select(draft, id, false)?;
    draft.push(Change::Zoomed { window, zoomed: true });
    Ok(())
}

fn set_layout(
    draft: &mut Draft<'_>,
    id: WindowId,
    layout: Layout,
    preset: Option<Preset>,
) -> Result<(), CommandError> {
    let window = draft.window(id)?;
    if window.layout != layout || (preset.is_some() && window.preset != preset) {
        draft.push(Change::LayoutChanged { window: id, layout, preset, selected: false });
    }
    Ok(())
}

pub(super) fn select_layout(
    draft: &mut Draft<'_>,
    id: WindowId,
    choice: &LayoutChoice,
) -> Result<(), CommandError> {
    let window = draft.window(id)?;
    let (last, restored) = (window.preset, window.old_layout.clone());
    let preset = match choice {
        LayoutChoice::Preset(preset) => Some(*preset),
        LayoutChoice::Again => last,
        LayoutChoice::Next => Some(Preset::next(last)),
        LayoutChoice::Previous => Some(Preset::previous(last)),
        LayoutChoice::Spread(_) | LayoutChoice::Text(_) | LayoutChoice::Restore => None,
    };
    let size = draft.state().window_size(id).ok_or(CommandError::NoWindow(id))?;
    let options = preset_options(draft, id);
    let old = &draft.window(id)?.layout;
    let layout = match (choice, preset) {
        (_, Some(preset)) => old.preset(preset, &options, old.size()),
        (LayoutChoice::Spread(pane), _) => {
            old.spread(*pane).map_err(|_| CommandError::NoPane(*pane))?
        }
        (LayoutChoice::Text(text), _) => {
            let layout = Layout::parse(text, &old.panes());
            layout.map_err(|cause| CommandError::Layout { cause, text: text.clone() })?
        }
        (LayoutChoice::Restore, _) if restored.is_some() => {
            let text = restored.map(|layout| layout.to_string()).unwrap_or_default();
            let layout = Layout::parse(&text, &old.panes());
            layout.map_err(|cause| CommandError::Layout { cause, text })?
        }
        // There is nothing to arrange by, but what is there now counts as the layout before.
        _ => old.clone(),
    };
    unzoom(draft, id)?;
    let layout = layout.resize(size);
    let window = draft.window(id)?;
    let is_news = window.layout != layout
        || window.old_layout.as_ref() != Some(&layout)
        || (preset.is_some() && window.preset != preset);
    if is_news {
        draft.push(Change::LayoutChanged { window: id, layout, preset, selected: true });
    }
    Ok(())
}

fn preset_options(draft: &mut Draft<'_>, id: WindowId) -> PresetOptions {
    let options = draft.state().options(OptionScope::Window(id));
    let other = |name| Some(options.extent(name)).filter(|extent| *extent != Extent::Cells(0));
    PresetOptions {
        main_width: options.extent("main-pane-width"),
        main_height: options.extent("main-pane-height"),
        other_width: other("other-pane-width"),
        other_height: other("other-pane-height"),
        tiled_columns_max: usize::try_from(options.number("tiled-layout-max-columns"))
            .ok()
            .filter(|columns| *columns > 0),
    }
}

pub(super) fn swap_panes(draft: &mut Draft<'_>, order: SwapPane) -> Result<(), CommandError> {
    let SwapPane { source, target, keep_zoom, .. } = order;
    let (of_source, of_target) = (draft.window_of(source)?.id, draft.window_of(target)?.id);
    let zoomed = [unzoom(draft, of_source)?, unzoom(draft, of_target)?];
    if source != target {
        trade_places(draft, &order)?;
    }
    for (window, zoomed) in [of_source, of_target].into_iter().zip(zoomed) {
        if zoomed && keep_zoom {
            draft.push(Change::Zoomed { window, zoomed: true });
        }
    }
    Ok(())
}

fn trade_places(draft: &mut Draft<'_>, order: &SwapPane) -> Result<(), CommandError> {
    let SwapPane { source, target, select, .. } = *order;
    let (of_source, of_target) = (draft.window_of(source)?.id, draft.window_of(target)?.id);
    let active = draft.window(of_source)?.active;
    draft.push(Change::PanesSwapped { a: source, b: target });
    let selected: &[PaneId] = match (of_source == of_target, select) {
        (true, true) => &[target],
        (false, true) => &[target, source],
        // The source stays active, and the target then is the one to go back to, as in tmux.
        (true, false) if active == source || active == target => &[target, source],
        _ => &[],
    };
    selected.iter().try_for_each(|pane| pane::select(draft, *pane, true))
}

pub(super) fn rotate(
    draft: &mut Draft<'_>,
    id: WindowId,
    down: bool,
    keep_zoom: bool,
) -> Result<(), CommandError> {
    let window = draft.window(id)?;
    let mut panes = window.layout.panes();
    let place = panes.iter().position(|pane| *pane == window.active).unwrap_or(0);
    if down {
        panes.rotate_right(1);
    } else {
        panes.rotate_left(1);
    }
    let layout = window.layout.arranged(&panes).expect("the same panes in another order");
    let zoomed = unzoom(draft, id)?;
    set_layout(draft, id, layout, None)?;
    pane::select(draft, panes[place], true)?;
    if zoomed && keep_zoom {
        draft.push(Change::Zoomed { window: id, zoomed: true });
    }
    Ok(())
}

pub(super) fn break_pane(draft: &mut Draft<'_>, order: BreakPane) -> Result<(), CommandError> {
    let BreakPane { pane, from, session, place, name, select } = order;
    let old = draft.window_of(pane)?;
    let (old_window, alone) = (old.id, old.layout.pane_count() == 1);
    draft.session(session)?;
    if alone {
        let order = MoveWindow {
            window: old_window,
            from,
            session,
            place,
            kill_existing: false,
            select,
            renumber: false,
        };
        window::relocate(draft, order)?;
        return match name {
            Some(name) => window::rename(draft, old_window, name),
            None => Ok(()),
        };
    }
    let id = draft.next_window_id()?;
    let index = window::make_place(draft, session, place)?;
    if draft.session(session)?.windows.contains_key(&index) {
        return Err(CommandError::IndexInUse(index));
    }
    unzoom(draft, old_window)?;
    let named = name.is_some();
    let program = draft.pane(pane)?.program.clone();
    let name = name.unwrap_or_else(|| {
        name::window_name(draft.state(), OptionScope::Session(session), &program)
    });
    draft.push(Change::PaneBroken { id: pane, window: id, session, index, name });
    if named {
        window::keep_name(draft, id);
    }
    if select {
        window::select(draft, session, id, false)?;
    }
    Ok(())
}

pub(super) fn join_pane(draft: &mut Draft<'_>, order: JoinPane) -> Result<(), CommandError> {
    let JoinPane { source, target, session: shown_in, split, select } = order;
    let from = draft.window_of(source)?.id;
    let to = draft.window_of(target)?.id;
    let session = draft.window(from)?.session;
    if source == target {
        return Err(CommandError::SamePane);
    }
    let too_small = |_: LayoutError| CommandError::PaneTooSmall;
    let new = if from == to { IN_TRANSIT } else { source };
    let layout = draft.window(to)?.layout.split(target, new, split).map_err(too_small)?;
    unzoom(draft, to)?;
    unzoom(draft, from)?;
    if from == to {
        let layout = layout.close(source).and_then(|layout| layout.replace(new, source));
        set_layout(draft, to, layout.map_err(too_small)?, None)?;
    } else {
        draft.push(Change::PaneJoined { id: source, window: to, layout });
    }
    if select {
        pane::select(draft, source, true)?;
        window::select(draft, shown_in, to, false)?;
    }
    if draft.window(from).is_err() {
        window::after_removal(draft, session)?;
    }
    Ok(())
}
