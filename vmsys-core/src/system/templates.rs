//! Templates of a `VmSystem`, and what they can be given.

use super::{VmSystem, page};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{CapabilityId, StartupFileId, TemplateId};
use crate::library::Library;
use crate::modules::ModuleInfo;
use crate::template::{
    Capability, CapabilityKind, Grants, NewCapability, NewStartupFile, NewTemplate, StartupFile, Template,
    TemplateDetail, TemplatePatch,
};
use crate::time::Timestamp;
use crate::worktree::WorktreePath;

impl VmSystem {
    /// Creates a template. One that was created before, in a file, is found by its name
    /// ([`template_named`](Self::template_named)).
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation) for a bad name or setting, [`AlreadyExists`](ErrorKind::AlreadyExists) for a
    /// name that is taken.
    pub fn create_template(&self, new: NewTemplate) -> Result<Template> {
        self.inner.refuse_when_shutting_down()?;
        new.validate()?;
        self.inner.check_isolation(new.settings.runtime.isolation)?;
        let now = Timestamp::now();
        let template = Template {
            id: TemplateId::new(),
            name: new.name,
            engine: new.engine,
            is_active: true,
            exposed_modules: Vec::new(),
            libraries: Vec::new(),
            created_at: now,
            updated_at: now,
        };
        self.inner.store.insert_template(&template, &new.settings)?;
        Ok(template)
    }

    /// Returns a template with everything that belongs to it.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound).
    pub fn template(&self, id: TemplateId) -> Result<TemplateDetail> {
        self.inner.store.template_detail(id)
    }

    /// Finds the template of a name, as it was written when it was created or last [renamed](Self::update_template).
    ///
    /// A program that keeps its templates in a file gets or creates them. It is one of the two that two programs at the same
    /// time create; the other is refused with [`AlreadyExists`](ErrorKind::AlreadyExists), and finds it when it looks again.
    ///
    /// ```
    /// # use vmsys_core::{NewTemplate, Template, VmSystem};
    /// # let directory = tempfile::tempdir().map_err(|_| "no directory")?;
    /// # let database = directory.path().join("vm.db");
    /// fn shop(vm: &VmSystem) -> vmsys_core::Result<Template> {
    ///     match vm.template_named("shop")? {
    ///         Some(template) => Ok(template),
    ///         None => vm.create_template(NewTemplate::named("shop")),
    ///     }
    /// }
    ///
    /// let first = shop(&VmSystem::open(&database)?)?; // the system goes, the file stays
    /// assert_eq!(shop(&VmSystem::open(&database)?)?, first);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn template_named(&self, name: &str) -> Result<Option<Template>> {
        self.inner.store.template_named(name)
    }

    /// Lists templates, newest first: those older than `before`, at most `limit` (50 unless told, at most 1,000).
    pub fn templates(&self, before: Option<TemplateId>, limit: Option<u32>) -> Result<Vec<Template>> {
        self.inner.store.templates(before, page(limit)?)
    }

    /// Deletes a template: its configuration goes, its sessions and their history stay.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound).
    pub fn delete_template(&self, id: TemplateId) -> Result<()> {
        self.inner.refuse_when_shutting_down()?;
        self.inner.store.delete_template(id)
    }

    /// Adds a file that every new session of the template runs before it is ready.
    ///
    /// The file need not exist yet: it is looked up in each session's own worktree.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound), [`InvalidPath`](ErrorKind::InvalidPath),
    /// [`AlreadyExists`](ErrorKind::AlreadyExists) for a path that the template has already.
    pub fn add_startup_file(&self, id: TemplateId, new: NewStartupFile) -> Result<StartupFile> {
        self.inner.refuse_when_shutting_down()?;
        let path = WorktreePath::parse(&new.path)?;
        let file = StartupFile {
            id: StartupFileId::new(),
            template_id: id,
            path: path.as_str().to_owned(),
            order_index: new.order_index,
            mode: new.mode,
        };
        self.inner.store.insert_startup_file(&file)?;
        Ok(file)
    }

    /// Lists a template's startup files in the order in which they run.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound).
    pub fn startup_files(&self, id: TemplateId) -> Result<Vec<StartupFile>> {
        self.inner.store.startup_files(id)
    }

    /// Changes a template's name, settings, or whether it takes new sessions, and returns it as it is then. The settings
    /// are checked as a whole. Sessions that exist keep what they were created with.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound), [`Validation`](ErrorKind::Validation),
    /// [`InvalidPath`](ErrorKind::InvalidPath), [`AlreadyExists`](ErrorKind::AlreadyExists) for a name that is taken; the
    /// template then stays as it was.
    pub fn update_template(&self, id: TemplateId, patch: TemplatePatch) -> Result<TemplateDetail> {
        self.inner.refuse_when_shutting_down()?;
        self.inner.check_isolation(patch.runtime.isolation.unwrap_or_default())?;
        self.inner.store.update_template(id, move |template, settings| patch.apply(template, settings))?;
        self.inner.store.template_detail(id)
    }

    /// Gives a template a capability, for sessions that are created from then on.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound), [`Validation`](ErrorKind::Validation) with the field, such as
    /// `config.hosts[0]`, [`InvalidPath`](ErrorKind::InvalidPath), [`ModuleNotAllowed`](ErrorKind::ModuleNotAllowed) for
    /// the kind `module`, [`AlreadyExists`](ErrorKind::AlreadyExists) when the template has one of this kind and name.
    pub fn add_capability(&self, id: TemplateId, new: NewCapability) -> Result<Capability> {
        self.inner.refuse_when_shutting_down()?;
        new.validate(&self.inner.modules)?;
        if new.kind == CapabilityKind::Net && !self.inner.modules.has_network() {
            let why = "nothing here provides a network: capabilities of the kind net cannot be added";
            return Err(Error::validation("kind", why));
        }
        let NewCapability { kind, name, enabled, config } = new;
        let capability = Capability { id: CapabilityId::new(), template_id: id, kind, name, enabled, config };
        self.inner.store.insert_capability(&capability)?;
        Ok(capability)
    }

    /// Lists a template's capabilities, oldest first.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound).
    pub fn capabilities(&self, id: TemplateId) -> Result<Vec<Capability>> {
        self.inner.store.capabilities(id)
    }

    /// Takes a capability from a template; that it has none of this id is fine.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound).
    pub fn remove_capability(&self, id: TemplateId, capability: CapabilityId) -> Result<()> {
        self.inner.refuse_when_shutting_down()?;
        self.inner.store.delete_capability(id, capability)
    }

    /// Declares in TypeScript what scripts of a new session of the template find beside the language and the web's
    /// interfaces: the native modules that it is granted, globals, `fetch`, and variables of `process.env`. It is the text of
    /// a `.d.ts` file, for editors, compilers and language models.
    ///
    /// Of an embedder's modules, it says what [`HostModule::signature`](crate::HostModule::signature) and
    /// [`ModuleInfo::signature`] do. What it does *not* declare: modules that need no grant, which are Node's (`@types/node`),
    /// and libraries.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound).
    ///
    /// ```
    /// # use vmsys_core::{NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// let template = vm.create_template(NewTemplate::named("t"))?;
    /// vm.add_module(template.id, "exec")?;
    /// assert!(vm.types(template.id)?.contains("declare module 'exec'"));
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn types(&self, id: TemplateId) -> Result<String> {
        let detail = self.inner.store.template_detail(id)?;
        // Values are nobody's business here, and whether the host has one is seen when a session is created.
        let grants = Grants::resolve(&detail.template, &detail.capabilities, |_| Some(String::new()))?;
        Ok(self.inner.modules.types(&grants))
    }

    /// Lists the native modules that templates can be given.
    pub fn module_catalog(&self) -> Vec<ModuleInfo> {
        self.inner.modules.all().to_vec()
    }

    /// Lists the native modules that a template was given by name, in the order in which it got them. Capabilities may
    /// add others, or take these away.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound).
    pub fn modules(&self, id: TemplateId) -> Result<Vec<String>> {
        Ok(self.inner.store.template(id)?.0.exposed_modules)
    }

    /// Gives a template a native module; that it has it already is fine.
    ///
    /// ```
    /// # use vmsys_core::{NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// vm.add_module(template.id, "fs")?;
    /// assert_eq!(vm.modules(template.id)?, ["fs"]);
    /// assert_eq!(vm.add_module(template.id, "JSON").unwrap_err().code(), "MODULE_NOT_ALLOWED");
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound), [`ModuleNotAllowed`](ErrorKind::ModuleNotAllowed) for a built-in
    /// of JavaScript, a module that needs no grant, and a name that is unknown: the message says which it is.
    pub fn add_module(&self, id: TemplateId, name: &str) -> Result<()> {
        self.inner.refuse_when_shutting_down()?;
        self.inner.modules.check_name(name)?;
        self.change_list(id, name, |template| &mut template.exposed_modules, Change::Add)
    }

    /// Takes a native module from a template; that it has none of this name is fine.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound).
    pub fn remove_module(&self, id: TemplateId, name: &str) -> Result<()> {
        self.inner.refuse_when_shutting_down()?;
        self.change_list(id, name, |template| &mut template.exposed_modules, Change::Remove)
    }

    /// Lists the libraries that templates can be given: those of the catalogue, and whatever else the cache holds.
    ///
    /// ```
    /// use vmsys_core::{Config, LibraryCache, NewLibrary, VmSystem};
    /// let directory = tempfile::tempdir()?;
    /// LibraryCache::open(directory.path())?.add(NewLibrary::new("mine", "1.0.0"), b"var mine = 1")?;
    /// let mut config = Config::default();
    /// config.library_cache = Some(directory.path().to_owned());
    /// let list = VmSystem::with_config(config)?.library_catalog()?;
    /// let cached: Vec<_> = list.iter().filter(|library| library.cached).map(|library| library.spec()).collect();
    /// assert_eq!(cached, ["mine-1.0.0"]);
    /// assert!(list.iter().any(|library| library.name == "lodash"), "the catalogue is listed too");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// An internal error when the cache or its manifest cannot be read.
    pub fn library_catalog(&self) -> Result<Vec<Library>> {
        self.inner.libraries.list()
    }

    /// Lists the libraries that a template was given, in the order in which it got them and they are loaded.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound).
    pub fn libraries(&self, id: TemplateId) -> Result<Vec<String>> {
        Ok(self.inner.store.template(id)?.0.libraries)
    }

    /// Gives a template a library, by its name, `lodash`, or by name and version, `lodash-4.17.21`; that it has it
    /// already is fine. One of the catalogue need not be in the cache yet: only a session needs its file.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound), [`Validation`](ErrorKind::Validation) for what cannot be a
    /// library's name, [`LibraryNotFound`](ErrorKind::LibraryNotFound) for what is neither in the catalogue nor in the
    /// cache.
    pub fn add_library(&self, id: TemplateId, name: &str) -> Result<()> {
        self.inner.refuse_when_shutting_down()?;
        if self.inner.libraries.find(name)?.is_none() {
            let why = format!("there is no library {name:?}, neither in the catalogue nor in the cache");
            return Err(Error::new(ErrorKind::LibraryNotFound, why).with("library", name));
        }
        self.change_list(id, name, |template| &mut template.libraries, Change::Add)
    }

    /// Takes a library from a template; that it has none of this name is fine.
    ///
    /// # Errors
    /// [`TemplateNotFound`](ErrorKind::TemplateNotFound).
    pub fn remove_library(&self, id: TemplateId, name: &str) -> Result<()> {
        self.inner.refuse_when_shutting_down()?;
        self.change_list(id, name, |template| &mut template.libraries, Change::Remove)
    }

    fn change_list(
        &self,
        id: TemplateId,
        name: &str,
        list: fn(&mut Template) -> &mut Vec<String>,
        change: Change,
    ) -> Result<()> {
        let name = name.to_owned();
        self.inner.store.update_template(id, move |template, _| {
            let list = list(template);
            match change {
                Change::Add if list.contains(&name) => {}
                Change::Add => list.push(name),
                Change::Remove => list.retain(|other| *other != name),
            }
            Ok(())
        })
    }
}

/// What to do with a name of a list.
#[derive(Debug, Clone, Copy)]
enum Change {
    Add,
    Remove,
}
